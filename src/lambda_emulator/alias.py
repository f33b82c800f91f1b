"""An alias: a name for one version, or for two of which each has its share of the invocations. Values only.

Every refusal has the service's own words where they are known.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lambda_emulator.errors import InvalidParameterValue, ValidationFailed

__all__ = ["Alias"]

_NAME = re.compile(r"(?!^[0-9]+$)([a-zA-Z0-9-_]{1,128})")
_VERSION = re.compile(r"\$LATEST|[0-9]+")
_ADDITIONAL = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Checked when it is made. Raises `ValidationFailed` and `InvalidParameterValue`."""

    name: str
    function_version: str
    description: str = ""
    additional_version_weights: Mapping[str, float] = field(default_factory=dict)
    """At most one other version, with its share from 0 to 1."""
    revision_id: str = field(default_factory=lambda: str(uuid.uuid4()), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "additional_version_weights", dict(self.additional_version_weights))
        for member, value, pattern in (
            ("name", self.name, _NAME),
            ("functionVersion", self.function_version, _VERSION),
            *(("routingConfig.additionalVersionWeights", key, _ADDITIONAL) for key in self.additional_version_weights),
        ):
            if not pattern.fullmatch(value):
                raise ValidationFailed(
                    f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
                    f"Member must satisfy regular expression pattern: {pattern.pattern}"
                )
        self._check_routing()

    def choose(self, random: Callable[[], float]) -> str:
        """The version of one invocation; `random` gives a number from 0 up to 1.

        >>> alias = Alias(name="live", function_version="1", additional_version_weights={"2": 0.1})
        >>> alias.choose(lambda: 0.05), alias.choose(lambda: 0.5)
        ('2', '1')
        """
        for version, weight in self.additional_version_weights.items():
            if random() < weight:
                return version
        return self.function_version

    def _check_routing(self) -> None:
        weights = self.additional_version_weights
        if len(weights) > 1:
            raise InvalidParameterValue("Number of items in AdditionalVersionWeights cannot be greater than 1")
        for version, weight in weights.items():
            if not 0.0 <= weight <= 1.0:
                bound = "less than or equal to 1.0" if weight > 1 else "greater than or equal to 0.0"
                raise ValidationFailed(
                    f"1 validation error detected: Value '{weight}' at 'routingConfig.additionalVersionWeights' failed "
                    f"to satisfy constraint: Member must have value {bound}"
                )
            if self.function_version == "$LATEST":
                raise InvalidParameterValue("$LATEST is not supported for an alias pointing to more than 1 version")
            if version == self.function_version:
                raise InvalidParameterValue(
                    f"Invalid function version {version}. Function version {version} is already included in routing "
                    "configuration."
                )
