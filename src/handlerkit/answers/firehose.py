"""Firehose: a result for each record, once, in 6 MB. (`batch_handler` makes such an answer by itself.)"""

from __future__ import annotations

from .answer import Answer, AnswerError, size_in_bytes, want_object

__all__ = ["TransformationAnswer", "checked"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RESULTS = ("Ok", "Dropped", "ProcessingFailed")
MAX_BYTES = 6 * 1024 * 1024


class TransformationAnswer(Answer):
    """`event.reply(record.ok(…), record.dropped(), …)`."""

    __slots__ = ()


def checked(event: Any, result: Any) -> dict[str, Any]:
    """Refuse what Firehose would count as a failure of the whole batch."""
    answer = want_object(result, "Firehose", "return event.reply(record.ok(...), ...)")
    results = answer.get("records")
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        raise AnswerError("the answer has no list of records: return event.reply(record.ok(...), ...)")
    wanted = [record.record_id for record in event]
    given = [one.get("recordId") for one in results]
    if len(set(given)) < len(given):
        raise AnswerError("a record has two results: Firehose takes one of each")
    if missing := set(wanted) - set(given):
        raise AnswerError(f"{len(missing)} of {len(wanted)} records have no result: drop one by record.dropped()")
    if set(given) - set(wanted):
        raise AnswerError("a result names no record of the batch: make it by record.ok(...)")
    for one in results:
        if one.get("result") not in RESULTS:
            raise AnswerError(f"a result is {', '.join(RESULTS)}, not {one.get('result')!r:.50}")
    if (size := size_in_bytes(answer)) > MAX_BYTES:
        raise AnswerError(
            f"the answer has {size} bytes, of {MAX_BYTES} that are taken: use batch_handler, or less data"
        )
    return answer
