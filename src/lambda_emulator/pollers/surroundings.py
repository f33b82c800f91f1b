"""What every poller needs of the world around it, in one value."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.clock import Clock
from lambda_emulator.duplicates import Duplicates
from lambda_emulator.pollers.invoker import FunctionInvoker

__all__ = ["Surroundings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Clock, clients, the function, and who is told of results and metrics."""

    clock: Clock
    aws: AwsClients
    invoker: FunctionInvoker
    function_arn: str
    """As the mapping shows it; the function itself may be gone."""
    report: Callable[[str], None]
    """Takes the mapping's `LastProcessingResult`."""
    measure: Callable[[str, float], None]
    """Takes a CloudWatch-style metric of the function: its name and a value in that metric's unit."""
    duplicates: Duplicates = field(default_factory=Duplicates)
    """Which messages of a standard queue are delivered twice."""
