"""What a function's answer says about its batch: all done, some failed, or all failed. Pure.

A partial response that cannot be trusted fails the whole batch: it is never a success. Only what says plainly that
nothing failed (`null`, `{}`, an empty list) succeeds.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["Verdict", "read_response"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which records have failed."""

    failed: frozenset[str] = frozenset()
    """Their identifiers: message ids or sequence numbers. All of the batch's where `malformed` is set."""
    malformed: str | None = None
    """Why the response cannot be trusted."""


def read_response(payload: bytes, identifiers: Collection[str]) -> Verdict:
    """The verdict of a `ReportBatchItemFailures` response on the records that have these identifiers.

    >>> read_response(b'{"batchItemFailures":[{"itemIdentifier":"b"}]}', ["a", "b"])
    Verdict(failed=frozenset({'b'}), malformed=None)
    >>> read_response(b'{"batchItemFailures":[{"itemIdentifier":"c"}]}', ["a"]).malformed
    "itemIdentifier 'c' is none of the batch's"
    """
    if not payload.strip():
        return Verdict()
    known = frozenset(identifiers)
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return Verdict(known, "the response is not JSON")
    # An empty string and an empty list were recorded as successes; `false` and 0 were not, and are no objects.
    if document is None or document in ("", [], {}):
        return Verdict()
    if not isinstance(document, dict):
        return Verdict(known, "the response is no object")
    listed = document.get("batchItemFailures")
    if listed is None:
        return Verdict()
    if not isinstance(listed, list):
        return Verdict(known, "batchItemFailures is no list")
    failed = set()
    for item in listed:
        if not isinstance(item, dict) or "itemIdentifier" not in item:
            return Verdict(known, "an item of batchItemFailures has no itemIdentifier")
        identifier = item["itemIdentifier"]
        if not isinstance(identifier, str) or identifier not in known:
            return Verdict(known, f"itemIdentifier {identifier!r} is none of the batch's")
        failed.add(identifier)
    return Verdict(frozenset(failed))
