"""Responses in which every record has an answer of its own: Firehose's transformations, S3 Batch Operations' tasks."""

from __future__ import annotations

from binascii import b2a_base64

from handlerkit.reply import encoded

from .errors import words_of
from .outcomes import Outcome

__all__ = ["MAX_FIREHOSE_BYTES", "firehose_answers", "s3_batch_results"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .sources import Found

# "6 MB" in Firehose's documentation, which fails the whole batch beyond it; the smaller reading is safe in both.
MAX_FIREHOSE_BYTES = 6_000_000
# Keys, quotes and blanks of one answer, as the widest encoder writes them.
ANSWER_BYTES = 100
# A sentence for S3's report; its limit is not documented.
RESULT_CHARACTERS = 1_000


def firehose_answers(
    found: Found, outcomes: list[Outcome | None], spoiled: Callable[[int, Exception], Outcome]
) -> dict[str, Any]:
    answers: list[dict[str, Any]] = []
    left_bytes = MAX_FIREHOSE_BYTES - sum(len(one.encode()) + ANSWER_BYTES for one in found.identifiers)
    for at, outcome in enumerate(outcomes):
        answer: dict[str, Any] = {"recordId": found.identifiers[at], "result": "ProcessingFailed"}
        if outcome is not None and outcome.state in (Outcome.DROPPED, Outcome.DIVERTED):
            answer["result"] = "Dropped"
        elif outcome is not None and outcome.is_done:
            try:
                made = _firehose_answer(outcome.value, found.raws[at], found.identifiers[at])
                answer_bytes = _within(left_bytes, made)
            except Exception as error:  # noqa: BLE001  # whatever an encoder raises: the result is none
                outcomes[at] = spoiled(at, error)
            else:
                left_bytes -= answer_bytes
                answer = made
        answers.append(answer)
    return {"records": answers}


_RESULTS = ("Ok", "Dropped", "ProcessingFailed")
_ANSWER_KEYS = {"recordId", "result", "data", "kafkaRecordValue", "metadata"}


def _firehose_answer(value: Any, raw: dict[str, Any], identifier: str) -> dict[str, Any]:
    """The record's answer: what `record.ok(...)` and its like made, or data of any kind."""
    if isinstance(value, dict) and "recordId" in value and "result" in value:
        if value["recordId"] != identifier or value["result"] not in _RESULTS or not value.keys() <= _ANSWER_KEYS:
            raise ValueError("the function returned the answer of another record, or none that Firehose knows")
        # What is not delivered needs no data, and 6 MB are soon full.
        return value if value["result"] == "Ok" else {"recordId": identifier, "result": value["result"]}
    if value is None:
        raise TypeError("the function returned no data: return it, or raise DropRecord to leave the record out")
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
    else:
        data = bytes(value) if isinstance(value, (bytes, bytearray)) else encoded(value)
    text = b2a_base64(data, newline=False).decode("ascii")
    return {
        "recordId": identifier,
        "result": "Ok",
        "kafkaRecordValue" if "kafkaRecordValue" in raw else "data": text,
    }


def _within(left_bytes: int, answer: dict[str, Any]) -> int:
    """How many bytes the answer takes. Raises `ValueError` where it takes too many."""
    answer_bytes = len(encoded(answer))
    if answer_bytes > left_bytes:
        raise ValueError(f"with this record the response would be larger than {MAX_FIREHOSE_BYTES} bytes")
    return answer_bytes


def s3_batch_results(
    found: Found, outcomes: list[Outcome | None], spoiled: Callable[[int, Exception], Outcome]
) -> dict[str, Any]:
    results = []
    for at, identifier in enumerate(found.identifiers):
        try:
            code, text = _s3_result(outcomes[at], identifier)
        except ValueError as error:
            outcomes[at] = spoiled(at, error)
            code, text = _s3_result(outcomes[at], identifier)
        results.append({"taskId": identifier, "resultCode": code, "resultString": text[:RESULT_CHARACTERS]})
    return {
        "invocationSchemaVersion": found.event.get("invocationSchemaVersion"),
        "treatMissingKeysAs": "TemporaryFailure",
        "invocationId": found.event.get("invocationId"),
        "results": results,
    }


_CODES = ("Succeeded", "TemporaryFailure", "PermanentFailure")
_PERMANENT = (Outcome.DROPPED, Outcome.DIVERTED, Outcome.POISON)


def _s3_result(outcome: Outcome | None, identifier: str) -> tuple[str, str]:
    if outcome is None:
        return "TemporaryFailure", "not started: no time left"
    value, error = outcome.value, outcome.error
    if outcome.state == Outcome.FINISHED:
        if isinstance(value, dict) and "taskId" in value and "resultCode" in value:  # `task.failed(...)` and its like
            if value["taskId"] != identifier or value["resultCode"] not in _CODES:
                raise ValueError("the function returned the result of another task, or a code that S3 does not know")
            return value["resultCode"], str(value.get("resultString") or "")
        return "Succeeded", _text(value)
    said = "not finished: no time left" if error is None else f"{type(error).__name__}: {words_of(error)}"
    if outcome.state in (Outcome.POISON, Outcome.DIVERTED):
        said = "the task could not be read"
    return ("PermanentFailure" if outcome.state in _PERMANENT else "TemporaryFailure"), said


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return encoded(value).decode()
    except (TypeError, ValueError):
        return type(value).__name__  # the work is done; its report must not undo it
