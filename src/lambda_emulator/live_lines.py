"""What the live view of `serve` says about an invocation, a retry, an outcome. Pure: values in, lines out."""

import json
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from lambda_emulator.async_event import EventNews, EventOutcome
from lambda_emulator.history import PastInvocation

__all__ = ["Kind", "Line", "lines_of_invocation", "lines_of_news"]

Kind: TypeAlias = Literal["ok", "failed", "log", "retry", "dead", "note", "reload", "error", "plain", "bare"]
"""`bare` has no time before it, so that it can be copied."""

# Of one invocation: enough to read, and a function that writes without end does not drown the others.
_SHOWN_LINES: Final = 500
_SHOWN_CHARACTERS: Final = 4_000
# A larger event is not looked into: what it is about is not worth its parsing.
_PARSED_BYTES: Final = 1_000_000
_PLATFORM: Final = ("START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "INIT_START ", "INIT_REPORT ",
                    "XRAY TraceId: ", "RESTORE_START ", "RESTORE_REPORT ", "EXTENSION\t", "TELEMETRY\t")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the view."""

    kind: Kind
    function: str
    """Empty where it is about none."""
    text: str


def lines_of_invocation(past: PastInvocation) -> list[Line]:
    """What the function logged, then how it went."""
    logged = [line for line in past.log.splitlines() if line.strip() and not _is_platform(line)]
    lines = [Line("log", past.function, _clean(line)) for line in logged[:_SHOWN_LINES]]
    if len(logged) > _SHOWN_LINES:
        lines.append(Line("note", past.function, f"{len(logged) - _SHOWN_LINES:,} more lines are not shown"))
    report = past.report
    cold = f", cold start {report.init_ms:.0f} ms" if report.init_ms is not None else ""
    word = report.status if report.status != "success" else "error" if past.failed else "ok"
    about = _about(past)
    text = f"{word} {report.duration_ms:.0f} ms{cold}{'  ' if about else ''}{about}"
    if past.failed:
        text += f"  {_error_of(past)}"
    lines.append(Line("failed" if past.failed else "ok", past.function, _clean(text)))
    return lines


def lines_of_news(news: EventNews) -> list[Line]:
    """What becomes of an asynchronous invocation, where it is not simply done."""
    if not isinstance(news, EventOutcome):
        why = "was throttled" if news.refused else f"failed {_times(news.attempts)}"
        return [Line("retry", news.function, f"{why}, again in {news.in_s:.0f} s (event {news.request_id})")]
    function = news.function_arn.split(":")[6]
    lines = []
    if news.condition != "Success":
        text = f"event given up after {_times(news.invoke_count)}: {news.condition} (event {news.request_id})"
        lines.append(Line("dead", function, text))
    lines += [
        Line("note" if news.condition == "Success" else "dead", function, f"sent to {arn}") for arn in news.delivered
    ]
    lines += [Line("error", function, _clean(f"could not be sent to {arn}: {why}")) for arn, why in news.undelivered]
    return lines


def _is_platform(line: str) -> bool:
    if line.startswith(_PLATFORM):
        return True
    return line.startswith('{"time":') and '"type":"platform.' in line[:120]


def _about(past: PastInvocation) -> str:
    """What the event was, in a few words; empty where nothing is known of it."""
    if len(past.event) > _PARSED_BYTES:
        return f"{len(past.event):,} bytes"
    event = _parsed(past.event)
    if not isinstance(event, dict):
        return ""
    records = event.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], dict):
        return _about_records(records, _parsed(past.payload))
    context = event.get("requestContext")
    if isinstance(context, dict):
        http = context.get("http") if isinstance(context.get("http"), dict) else {}
        method = (http or {}).get("method") or event.get("httpMethod") or ""
        path = event.get("rawPath") or event.get("path") or ""
        return f"{method} {path}{_status(past)}" if method else ""
    if isinstance(event.get("detail-type"), str):
        return f"{event.get('source', '')}: {event['detail-type']}"
    return ""


def _about_records(records: list[Any], answer: Any) -> str:
    first = records[0]
    source = str(first.get("eventSource") or first.get("EventSource") or "records").removeprefix("aws:")
    text = f"{source}: {len(records)} record{'s' if len(records) > 1 else ''}"
    receives = [
        int(count)
        for each in records
        if isinstance(each, dict)
        and isinstance(each.get("attributes"), dict)
        and str(count := each["attributes"].get("ApproximateReceiveCount", "")).isdigit()
    ]
    if receives and max(receives) > 1:
        text += f", received {_times(max(receives))}"
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if isinstance(failures, list) and failures:
        text += f", {len(failures)} of them failed"
    return text


def _status(past: PastInvocation) -> str:
    if past.failed:
        return ""
    answer = _parsed(past.payload)
    status = answer.get("statusCode") if isinstance(answer, dict) else None
    return f" → {status}" if status is not None else ""


def _error_of(past: PastInvocation) -> str:
    document = _parsed(past.payload)
    if not isinstance(document, dict):
        return past.report.error_type or ""
    return f"{document.get('errorType', past.report.error_type)}: {document.get('errorMessage', '')}"


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data) if len(data) <= _PARSED_BYTES else None
    except (ValueError, RecursionError):
        return None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _clean(text: str) -> str:
    """What a function writes must not move the cursor or end a line.

    >>> _clean("a\\x1b[2Jb\\tc")
    'a\\\\x1b[2Jb\\tc'
    """
    if len(text) > _SHOWN_CHARACTERS:
        text = f"{text[:_SHOWN_CHARACTERS]} ... ({len(text):,} characters)"
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign == "\t" else sign.encode("unicode_escape", "surrogatepass").decode()
        for sign in text
    )
