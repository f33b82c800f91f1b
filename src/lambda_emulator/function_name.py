"""The forms in which a caller may name a function: name, partial ARN, full ARN, each with a qualifier or not. Pure."""

import re
from dataclasses import dataclass

from lambda_emulator.errors import InvalidParameterValue, ValidationFailed

__all__ = ["FunctionName"]

# As the service publishes it, with names for the groups.
_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
_ARN, _REGION, _ACCOUNT, _PREFIX, _NAME, _QUALIFIER = 1, 3, 9, 10, 11, 13
_MAX_CHARACTERS = 170


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionName:
    """A name taken apart; None for what was not said."""

    name: str
    qualifier: str | None
    region: str | None
    account_id: str | None

    @classmethod
    def parse(cls, text: str, qualifier: str | None = None) -> "FunctionName":
        """Take `text` apart and join it with the separate qualifier.

        Raises `ValidationFailed` for what is no function's name, `InvalidParameterValue` for two qualifiers that
        differ.

        >>> FunctionName.parse("123456789012:function:orders:7")
        FunctionName(name='orders', qualifier='7', region=None, account_id='123456789012')
        """
        match = re.fullmatch(_PATTERN, text)
        if match is None or len(text) > _MAX_CHARACTERS:
            raise ValidationFailed(
                f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: "
                f"Member must satisfy regular expression pattern: {_PATTERN}"
            )
        name, derived = match[_NAME], match[_QUALIFIER]
        region, account_id = match[_REGION], match[_ACCOUNT]
        if match[_PREFIX] and not (match[_ARN] or region or account_id or derived):
            # The pattern reads `function:7` as a function called 7. It is a function called `function`.
            name, derived = "function", name
        if derived and qualifier and derived != qualifier:
            raise InvalidParameterValue(
                "The derived qualifier from the function name does not match the specified qualifier."
            )
        return cls(
            name=name,
            qualifier=qualifier or derived,
            region=region.rstrip(":") if region else None,
            account_id=account_id.rstrip(":") if account_id else None,
        )
