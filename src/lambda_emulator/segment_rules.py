"""What X-Ray accepts as a segment or subsegment document: the rules of its documentation, as sentences about what is
wrong. Pure.

X-Ray itself drops a document that breaks them without a word to the sender; whoever tests wants the word.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

__all__ = ["MAX_DOCUMENT_BYTES", "problems"]

MAX_DOCUMENT_BYTES = 64 * 1024
_ID = re.compile(r"[0-9a-f]{16}")
_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_NAME = re.compile(r"[\w\s.:/%&#=+\\\-@]{1,200}")
_KEY = re.compile(r"[A-Za-z0-9_]{1,500}")
_FLAGS = ("error", "fault", "throttle", "in_progress")
_HTTP: dict[str, dict[str, type]] = {
    "request": {
        "method": str,
        "url": str,
        "user_agent": str,
        "client_ip": str,
        "x_forwarded_for": bool,
        "traced": bool,
    },
    "response": {"status": int, "content_length": int},
}
_MAX_ANNOTATIONS = 50
_MAX_ANNOTATION_CHARACTERS = 1_000


def problems(document: Any) -> list[str]:
    """Everything that is wrong with a document that is sent on its own; empty for one that X-Ray takes.

    >>> problems({"type": "subsegment", "id": "53995c3f42cd8ad8", "name": "a*b", "start_time": 1.0, "end_time": 2.0})
    ["name 'a*b'", 'no trace_id', 'a subsegment on its own needs a parent_id']
    """
    if not isinstance(document, dict):
        return ["no JSON object"]
    return list(_problems(document, alone=True))


def _problems(document: dict[str, Any], *, alone: bool) -> Iterator[str]:
    yield from _identity(document)
    if alone:
        if document.get("type") not in (None, "subsegment"):
            yield f"type {document['type']!r}"
        if not _matches(_TRACE_ID, document.get("trace_id")):
            yield f"trace_id {document['trace_id']!r}" if "trace_id" in document else "no trace_id"
        if document.get("type") == "subsegment" and "parent_id" not in document:
            yield "a subsegment on its own needs a parent_id"
        if len(json.dumps(document, separators=(",", ":"))) > MAX_DOCUMENT_BYTES:
            yield f"larger than {MAX_DOCUMENT_BYTES} bytes"
    yield from _times(document)
    yield from _kinds(document)
    yield from _annotations(document.get("annotations", {}))
    yield from _metadata(document.get("metadata", {}))
    yield from _cause(document.get("cause", "0" * 16))
    yield from _http(document.get("http", {}))
    yield from _links(document.get("links", []))
    for child in document.get("subsegments", []):
        yield from (f"in {child.get('name')!r}: {problem}" for problem in _problems(child, alone=False))


def _kinds(document: dict[str, Any]) -> Iterator[str]:
    if "parent_id" in document and not _matches(_ID, document["parent_id"]):
        yield f"parent_id {document['parent_id']!r}"
    for flag in _FLAGS:
        if flag in document and document[flag] not in (True, False):
            yield f"{flag} {document[flag]!r}"
    if document.get("namespace", "aws") not in ("aws", "remote"):
        yield f"namespace {document['namespace']!r}"
    for name in ("aws", "sql"):
        if not isinstance(document.get(name, {}), dict):
            yield f"{name} is no object"


def _identity(document: dict[str, Any]) -> Iterator[str]:
    if not _matches(_ID, document.get("id")):
        yield f"id {document['id']!r}" if "id" in document else "no id"
    if not _matches(_NAME, document.get("name")):
        yield f"name {document['name']!r}" if "name" in document else "no name"


def _times(document: dict[str, Any]) -> Iterator[str]:
    start, end = document.get("start_time"), document.get("end_time")
    if not _is_number(start):
        yield f"start_time {start!r}"
    elif end is None:
        if document.get("in_progress") is not True:
            yield "neither end_time nor in_progress"
    elif not _is_number(end):
        yield f"end_time {end!r}"
    elif end < start:
        yield "it ends before it begins"
    if end is not None and document.get("in_progress"):
        yield "in_progress with an end_time"


def _annotations(annotations: Any) -> Iterator[str]:
    if not isinstance(annotations, dict):
        yield "annotations are no object"
        return
    if len(annotations) > _MAX_ANNOTATIONS:
        yield f"more than {_MAX_ANNOTATIONS} annotations"
    for key, value in annotations.items():
        if not _matches(_KEY, key):
            yield f"annotation key {key!r}"
        if isinstance(value, str):
            if len(value) > _MAX_ANNOTATION_CHARACTERS:
                yield f"annotation {key!r} has more than {_MAX_ANNOTATION_CHARACTERS} characters"
        elif not isinstance(value, bool) and not _is_number(value):
            yield f"annotation {key!r} is neither text nor number nor bool"


def _metadata(metadata: Any) -> Iterator[str]:
    if not isinstance(metadata, dict) or not all(isinstance(values, dict) for values in metadata.values()):
        yield "metadata is not an object of objects"
        return
    yield from (f"metadata namespace {space!r} is AWS's" for space in metadata if space.startswith("AWS."))


def _cause(cause: Any) -> Iterator[str]:
    if isinstance(cause, str):
        if not _matches(_ID, cause):
            yield f"cause {cause!r}"
        return
    if not isinstance(cause, dict) or not isinstance(cause.get("exceptions", []), list):
        yield "cause is neither an exception's id nor an object"
        return
    for each in cause.get("exceptions", []):
        if not isinstance(each, dict) or not _matches(_ID, each.get("id")):
            yield f"exception {each!r} without a valid id"
            continue
        if not isinstance(each.get("message", ""), str) or not isinstance(each.get("type", ""), str):
            yield "an exception's message and type are text"
        if "cause" in each and not _matches(_ID, each["cause"]):
            yield f"an exception's cause {each['cause']!r}"
        for frame in each.get("stack", []):
            if not isinstance(frame.get("line", 0), int) or not isinstance(frame.get("path", ""), str):
                yield f"stack frame {frame!r}"


def _http(http: Any) -> Iterator[str]:
    if not isinstance(http, dict):
        yield "http is no object"
        return
    for part, members in http.items():
        if part not in _HTTP:
            yield f"http.{part}"
            continue
        for name, value in members.items():
            kind = _HTTP[part].get(name)
            if kind is not None and not isinstance(value, kind):
                yield f"http.{part}.{name} {value!r}"


def _links(links: Any) -> Iterator[str]:
    for link in links if isinstance(links, list) else [links]:
        ids: dict[str, Any] = link if isinstance(link, dict) else {}
        if not _matches(_TRACE_ID, ids.get("trace_id")) or not _matches(_ID, ids.get("id")):
            yield f"link {link!r}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
