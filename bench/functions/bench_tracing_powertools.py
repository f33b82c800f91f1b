"""The same as a user of aws-lambda-powertools writes it. POWERTOOLS_TRACER_... are left at their defaults."""

import os

from aws_lambda_powertools import Tracer

tracer = Tracer(service="orders", auto_patch=os.environ.get("BENCH_AUTO_PATCH") == "1")


@tracer.capture_method
def step() -> None:
    """Nothing but its subsegment."""


@tracer.capture_lambda_handler
def one(_event: object, _context: object) -> None:
    """The handler's subsegment and one inside."""
    step()


@tracer.capture_lambda_handler
def eleven(_event: object, _context: object) -> None:
    """The handler's subsegment and eleven inside."""
    for _ in range(11):
        step()
