"""The same as a user of aws-xray-sdk alone writes it."""

from aws_xray_sdk.core import xray_recorder


@xray_recorder.capture("step")
def step() -> None:
    """Nothing but its subsegment."""


@xray_recorder.capture("## one")
def one(_event: object, _context: object) -> None:
    """The handler's subsegment and one inside."""
    step()


@xray_recorder.capture("## eleven")
def eleven(_event: object, _context: object) -> None:
    """The handler's subsegment and eleven inside."""
    for _ in range(11):
        step()
