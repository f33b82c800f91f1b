"""Handlers that the tests call through AWS's emulator; each does one thing worth seeing from outside."""

import os
import time
from typing import Any

INVOCATIONS: list[str] = []
"""Request ids that this process has served: a fresh process starts with none."""


def handler(event: Any, context: Any) -> Any:
    """Do what the event asks for by its key `do`."""
    INVOCATIONS.append(context.aws_request_id)
    return ACTIONS[event["do"]](event, context)


def echo(event: Any, _context: Any) -> Any:
    """Give the event back."""
    return event


def process(_event: Any, _context: Any) -> Any:
    """Say which process this is, and how many invocations it has seen."""
    return {"pid": os.getpid(), "invocations": len(INVOCATIONS)}


def describe(_event: Any, context: Any) -> Any:
    """What the context holds."""
    return {
        "request_id": context.aws_request_id,
        "function_name": context.function_name,
        "function_version": context.function_version,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "trace_id": os.environ.get("_X_AMZN_TRACE_ID"),
        "has_client_context": context.client_context is not None,
    }


def client_context(_event: Any, context: Any) -> Any:
    """What a mobile client sent along."""
    client = context.client_context
    return {"custom": client.custom, "env": client.env, "app_title": client.client.app_title}


def measure(event: Any, _context: Any) -> Any:
    """How much of a large event arrived, and whether it is whole."""
    return {"items": len(event["items"]), "sum": sum(item["number"] for item in event["items"])}


def produce(event: Any, _context: Any) -> Any:
    """A response whose JSON has exactly the asked number of bytes."""
    return "x" * (event["bytes"] - 2)


def fail(event: Any, _context: Any) -> Any:
    """Raise the exception that a user would."""
    raise RefusedOrder(event["message"])


def unserialisable(_event: Any, _context: Any) -> Any:
    """Return what JSON cannot hold."""
    return {"orders": {1, 2}}


def sleep(event: Any, _context: Any) -> Any:
    """Take longer than allowed."""
    time.sleep(event["seconds"])


def crash(event: Any, _context: Any) -> Any:
    """End the process without a word."""
    os._exit(event["status"])


def leave(_event: Any, _context: Any) -> Any:
    """Call what a script would call to end."""
    raise SystemExit(4)


def shout(event: Any, _context: Any) -> Any:
    """Print a line."""
    print(event["line"])


class RefusedOrder(Exception):
    """An error type of the user's own."""


ACTIONS = {
    "echo": echo,
    "process": process,
    "describe": describe,
    "client_context": client_context,
    "measure": measure,
    "produce": produce,
    "fail": fail,
    "unserialisable": unserialisable,
    "sleep": sleep,
    "crash": crash,
    "leave": leave,
    "shout": shout,
}
