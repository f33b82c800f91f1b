"""The optional members of a document: annotations, metadata, cause, links; and the 64 kB rule.

What does not fit goes: the largest metadata first, then frames of stacks, then the largest annotations, and last all
the rest. A mark in the metadata says what is missing, so that nobody looks for it in the code.
"""

from __future__ import annotations

import json
from _json import encode_basestring_ascii as quoted

from .cause import cause_of
from .document import has_more
from .plain import number_or_text, plain

__all__ = ["annotation_key", "details"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .spans import Span

MAX_ANNOTATIONS = 50
"""X-Ray's, for a whole trace: more of one span are of no use."""
MAX_KEY, MAX_TEXT = 500, 1_000
"""Characters of an annotation's key and of its text, by X-Ray's documentation."""
MARK = "handlerkit"
"""The namespace of our own metadata."""
MAX_NAMED = 8
ROOM_OF_MARK = 1_200
_KEY_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def _odd(value: object) -> Any:
    """For what JSON has no form for; a dict that holds it goes through `plain` instead."""
    raise TypeError(type(value).__name__)


_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_odd).encode


def encoded(value: Any) -> str:
    """JSON of any value; whatever has no form in it is replaced."""
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError, RuntimeError):  # RuntimeError: it changes while we read it
        return _encode(plain(value))


def details(span: Span, room: int) -> str:
    """The members as JSON text without braces, in at most `room` characters."""
    annotations = _annotations(span.annotations)
    if span.error is None and not has_more(span):
        text = f'"annotations":{{{",".join(annotations.values())}}}' if annotations else ""
        if len(text) <= room:
            return text
    members: dict[str, Any] = {}
    if span.error is not None:
        members["cause"] = cause_of(span)
    elif span.cause:
        members["cause"] = span.cause
    for name in ("http", "aws", "sql", "links"):
        value = getattr(span, name)
        if value:
            members[name] = value
    metadata = _metadata(span)
    text = _joined(annotations, members, metadata)
    return text if len(text) <= room else _fitted(_Reduction(annotations, members, metadata, room))


def annotation_key(key: object) -> str:
    """A key as X-Ray takes it; other characters become an underscore.

    >>> annotation_key("order-id")
    'order_id'
    """
    text = str(key)[:MAX_KEY]
    if _KEY_SIGNS.issuperset(text):
        return text or "_"
    return "".join([sign if sign in _KEY_SIGNS else "_" for sign in text])


def _annotations(given: dict[str, Any] | None) -> dict[str, str]:
    """By key: the member as JSON, without the encoder, which most spans need for nothing else."""
    if not given:
        return {}
    kept: dict[str, str] = {}
    for key, value in list(given.items())[:MAX_ANNOTATIONS]:
        if value is None:
            continue
        kind = type(value)
        if kind is not str and kind is not bool:
            value = number_or_text(value, MAX_TEXT)
            kind = type(value)
        if kind is str:
            text = quoted(value[:MAX_TEXT])
        else:
            text = ("true" if value else "false") if kind is bool else repr(value)
        key = annotation_key(key)
        kept[key] = f'"{key}":{text}'
    return kept


def _metadata(span: Span) -> dict[str, dict[str, str]]:
    """Every value as JSON already, for its length may have to be weighed."""
    found: dict[str, dict[str, str]] = {}
    for namespace, values in list((span.metadata or {}).items()):
        namespace = str(namespace)
        if namespace.startswith("AWS."):  # X-Ray keeps these for itself, and refuses the document
            namespace = "_" + namespace
        found.setdefault(namespace, {}).update({str(key): encoded(value) for key, value in list(values.items())})
    if span.events:
        events = [{"name": name, "time": at_ns / 1e9, **attributes} for name, at_ns, attributes in span.events]
        found.setdefault(MARK, {})["events"] = encoded(events)
    return found


def _joined(annotations: dict[str, str], members: dict[str, Any], metadata: dict[str, dict[str, str]]) -> str:
    parts = [f'"annotations":{{{",".join(annotations.values())}}}'] if annotations else []
    if members:
        parts.append(encoded(members)[1:-1])
    if metadata:
        spaces = [
            f"{_encode(space)}:{{{','.join([f'{_encode(key)}:{value}' for key, value in values.items()])}}}"
            for space, values in metadata.items()
        ]
        parts.append(f'"metadata":{{{",".join(spaces)}}}')
    return ",".join(parts)


def _fitted(reduction: _Reduction) -> str:
    for step in (reduction.drop_metadata, reduction.shorten_stacks, reduction.drop_annotations, reduction.drop_rest):
        if step():
            return reduction.text
    return ""


class _Reduction:
    """One document on its way to a size; each step says whether it was enough."""

    def __init__(
        self, annotations: dict[str, str], members: dict[str, Any], metadata: dict[str, dict[str, str]], room: int
    ) -> None:
        self.text = ""
        self._annotations = annotations
        self._members = members
        self._metadata = metadata
        self._room = room
        self._missing: list[str] = []

    def drop_metadata(self) -> bool:
        """Without the largest values."""
        sizes = [(len(value), space, key) for space, values in self._metadata.items() for key, value in values.items()]
        excess = len(_joined(self._annotations, self._members, self._metadata)) - self._room + ROOM_OF_MARK
        for size, space, key in sorted(sizes, reverse=True):
            if excess <= 0:
                break
            del self._metadata[space][key]
            excess -= size
            self._missing.append(f"metadata {space[:40]}.{key[:40]} ({size} characters)")
        self._metadata = {space: values for space, values in self._metadata.items() if values}
        return self._fits()

    def shorten_stacks(self) -> bool:
        """With ever fewer frames, and at last short messages."""
        cause = self._members.get("cause")
        exceptions = cause.get("exceptions", []) if isinstance(cause, dict) else []
        if not exceptions:
            return False
        self._missing.append("frames of stacks")
        for frames in (16, 4, 0):
            for each in exceptions:
                stack = each.get("stack") or []
                each["truncated"] = each.get("truncated", 0) + max(0, len(stack) - frames)
                each["stack"] = stack[max(0, len(stack) - frames) :]
                if not frames:
                    each["message"] = str(each.get("message", ""))[:200]
            if self._fits():
                return True
        return False

    def drop_annotations(self) -> bool:
        """Without the largest ones."""
        for key in sorted(self._annotations, key=lambda key: len(self._annotations[key]), reverse=True):
            del self._annotations[key]
            self._missing.append(f"annotation {key[:40]}")
            if self._fits():
                return True
        return False

    def drop_rest(self) -> bool:
        """Nothing but the mark, if even that has room."""
        self._missing += [*self._members, *(f"metadata {space[:40]}" for space in self._metadata)]
        self._members, self._metadata = {}, {}
        return self._fits()

    def _fits(self) -> bool:
        named = self._missing[:MAX_NAMED]
        if len(self._missing) > MAX_NAMED:
            named.append(f"and {len(self._missing) - MAX_NAMED} more")
        mark = {**self._metadata.get(MARK, {}), "left_out": _encode(named)}
        self.text = _joined(self._annotations, self._members, {**self._metadata, MARK: mark})
        return len(self.text) <= self._room
