"""How long the present execution can still live: from the context, if there is one anywhere near."""

from __future__ import annotations

from handlerkit.scope import context_of_invocation

__all__ = ["DEFAULT_LEASE_MS", "SKEW_MS", "context_among", "lease_ms", "remaining_ms"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# No invocation of a Lambda function lives longer than 15 minutes: without a context, the time after which it is dead.
DEFAULT_LEASE_MS = 900_000
# What two machines' clocks may differ by; NTP in a region keeps them within a few milliseconds.
SKEW_MS = 1_000


def context_among(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The context that a function was called with, or the one of the present invocation, or None."""
    for one in (*args[:3], kwargs.get("context")):
        if hasattr(one, "get_remaining_time_in_millis"):
            return one
    return context_of_invocation()


def remaining_ms(context: Any) -> int | None:
    """Milliseconds until the invocation is stopped, or None where nobody says."""
    ask = getattr(context, "get_remaining_time_in_millis", None)
    return None if ask is None else max(0, int(ask()))


def lease_ms(context: Any, fixed_ms: int | None) -> int:
    """How long from now the execution may live: certain to be dead afterwards."""
    if fixed_ms is not None:
        return fixed_ms
    left = remaining_ms(context)
    return DEFAULT_LEASE_MS if left is None else left + SKEW_MS
