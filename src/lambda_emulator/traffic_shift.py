"""How an alias's traffic goes over to another version: at once, in two steps, or in equal ones. Values only."""

import re
from dataclasses import dataclass

from lambda_emulator.errors import InvalidConfiguration

__all__ = ["TrafficShift"]

_NAME = re.compile(
    r"(?:CodeDeployDefault\.)?(?:Lambda)?"
    r"(?:Canary(?P<canary>\d+)Percent(?P<after>\d+)Minutes?|Linear(?P<linear>\d+)PercentEvery(?P<every>\d+)Minutes?"
    r"|(?P<all>AllAtOnce))"
)


@dataclass(frozen=True, slots=True)
class TrafficShift:
    """`percent` of the traffic, then a pause of so many minutes, and again if it is linear, else all the rest.

    >>> TrafficShift.named("Canary10Percent5Minutes").steps()
    [(0.1, 300.0), (1.0, 0.0)]
    >>> TrafficShift(percent=40, minutes=1, linear=True).steps()
    [(0.4, 60.0), (0.8, 60.0), (1.0, 0.0)]
    """

    percent: int = 100
    minutes: int = 0
    linear: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.percent <= 100:
            raise InvalidConfiguration(f"percent {self.percent!r} is not possible: use 1 to 100")
        if self.minutes < 0 or (self.percent < 100 and self.minutes == 0):
            raise InvalidConfiguration(f"minutes {self.minutes!r} is not possible: use 1 or more between two steps")

    @classmethod
    def named(cls, name: str) -> "TrafficShift":
        """As CodeDeploy and SAM name them, with any numbers. Raises `InvalidConfiguration`."""
        match = _NAME.fullmatch(name)
        if match is None:
            raise InvalidConfiguration(
                f"{name!r} is no way to shift traffic: use AllAtOnce, or a name such as Canary10Percent5Minutes or "
                "Linear10PercentEvery1Minute"
            )
        if match["all"]:
            return cls()
        if match["canary"]:
            return cls(percent=int(match["canary"]), minutes=int(match["after"]))
        return cls(percent=int(match["linear"]), minutes=int(match["every"]), linear=True)

    def steps(self) -> list[tuple[float, float]]:
        """The new version's share from here on, and the seconds until the next step; the last share is 1."""
        shares = range(self.percent, 100, self.percent) if self.linear else [self.percent] * (self.percent < 100)
        return [(share / 100, self.minutes * 60.0) for share in shares] + [(1.0, 0.0)]
