"""Environment variables that several packages read, and the words for on and off. What only logs, metrics or traces
read is in their `settings`. docs/configuration.md has all of them.

Everything here is given the variables, and none is looked at while a module is imported.
"""

from __future__ import annotations

__all__ = [
    "forks_workers_later",
    "idempotency_is_disabled",
    "is_off",
    "is_on",
    "service_name",
    "switch_of",
    "wants_info",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Variables = Mapping[str, str]

_ON = ("1", "true", "yes", "on")
_OFF = ("0", "false", "no", "off")


def is_on(text: str | None) -> bool:
    """Whether a switch is on; what is no word for it leaves it off.

    >>> is_on("True"), is_on("no"), is_on(None)
    (True, False, False)
    """
    return (text or "").strip().lower() in _ON


def is_off(text: str | None) -> bool:
    """Whether a switch is off; what is no word for it leaves it on."""
    return (text or "").strip().lower() in _OFF


def switch_of(text: str) -> bool:
    """What a switch's word says. Raises `ValueError` for what is no word for it.

    >>> switch_of("On"), switch_of("no")
    (True, False)
    """
    if not is_on(text) and not is_off(text):
        raise ValueError(f"{text!r} is no switch: use {', '.join(_ON)} or {', '.join(_OFF)}")
    return is_on(text)


def service_name(variables: Variables) -> str | None:
    """`HANDLERKIT_SERVICE`, else aws-lambda-powertools' name for it, else the function's: one for all telemetry.

    >>> service_name({"AWS_LAMBDA_FUNCTION_NAME": "orders", "HANDLERKIT_SERVICE": ""})
    'orders'
    """
    get = variables.get
    return get("HANDLERKIT_SERVICE") or get("POWERTOOLS_SERVICE_NAME") or get("AWS_LAMBDA_FUNCTION_NAME") or None


def idempotency_is_disabled(variables: Variables) -> bool:
    """`HANDLERKIT_IDEMPOTENCY_DISABLED`; only a clear word takes the guard away.

    >>> idempotency_is_disabled({"HANDLERKIT_IDEMPOTENCY_DISABLED": "False"})
    False
    """
    return is_on(variables.get("HANDLERKIT_IDEMPOTENCY_DISABLED"))


def wants_info(variables: Variables) -> bool:
    """Whether the function's log level asks for INFO, though nobody may have loaded `logging`."""
    return variables.get("AWS_LAMBDA_LOG_LEVEL", "").upper() in ("INFO", "DEBUG", "TRACE")


def forks_workers_later(variables: Variables) -> bool:
    """Whether this process only loads the handler for the workers that our runtime forks from it."""
    return (
        bool(variables.get("AWS_LAMBDA_MAX_CONCURRENCY"))
        and (variables.get("HANDLERKIT_CONCURRENCY") or "processes").lower() == "processes"
        and variables.get("HANDLERKIT_PRELOAD") != "0"
    )
