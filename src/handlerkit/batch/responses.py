"""Outcomes as the response that each family of sources takes. Complete by construction: every record is accounted for.

A response is made from the identifiers that came, never from what a function returned, so none of the malformed forms
that Lambda treats as a failure of the batch can arise: no empty, unknown or missing identifier, no other key.
"""

from __future__ import annotations

__all__ = ["nothing_failed", "response_of"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .outcomes import Outcome
    from .policies import Ordering
    from .sources import Found


def response_of(
    found: Found,
    outcomes: list[Outcome | None],
    policy: Ordering,
    spoiled: Callable[[int, Exception], Outcome],
) -> dict[str, Any]:
    """The response; a result that cannot be one is told by `spoiled(position, error)`, which gives its new outcome."""
    if found.source.family == "partial":
        return _partial(found, outcomes, policy)
    from .record_answers import firehose_answers, s3_batch_results  # late: they write JSON, whose encoder takes 5 ms

    if found.source.family == "firehose":
        return firehose_answers(found, outcomes, spoiled)
    return s3_batch_results(found, outcomes, spoiled)


def nothing_failed(found: Found) -> dict[str, Any]:
    """The partial response to a batch in which all is done."""
    if "window" not in found.event:
        return {"batchItemFailures": []}
    return _naming(found, [])


def _partial(found: Found, outcomes: list[Outcome | None], policy: Ordering) -> dict[str, Any]:
    undone = [at for at, outcome in enumerate(outcomes) if outcome is None or not outcome.is_done]
    return _naming(found, policy.reported(found.identifiers, undone) if undone else [])


def _naming(found: Found, named: list[Any]) -> dict[str, Any]:
    response: dict[str, Any] = {"batchItemFailures": [{"itemIdentifier": one} for one in named]}
    if isinstance(found.event.get("window"), dict):
        # A window's response must carry its state; a function of single records leaves it as it is.
        response["state"] = found.event.get("state") or {}
    return response
