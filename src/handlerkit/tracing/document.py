"""A span as X-Ray's subsegment document: JSON of at most 64 kB behind the line that the daemon expects.

An ordinary span is written by one format string; only one with more to say goes through a dict and the JSON encoder.
"""

from __future__ import annotations

from _json import encode_basestring_ascii as quoted

__all__ = ["HEADER", "MAX_BYTES", "clean_name", "datagram", "has_more"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .spans import Span

HEADER = '{"format":"json","version":1}\n'
MAX_BYTES = 64_000
"""X-Ray's limit is 64 kB, and a UDP datagram holds 65,507 bytes at most: below both, whichever kilobyte is meant."""
MAX_NAME = 200
_IN_NAMES = frozenset(" _.:/%&#=+\\-@")
_PLAIN = _IN_NAMES.union("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
"""What nearly all names are made of: one look at a set, and nothing to clean."""


def datagram(span: Span, limit: int = MAX_BYTES) -> bytes:
    """What is sent for a span: its document, or, while it is open, the announcement of it."""
    start, end = str(span.start_ns // 1000), str(span.end_ns // 1000)
    ending = f'"end_time":{end[:-6]}.{end[-6:]}' if span.end_ns else '"in_progress":true'
    name = span.name
    if not name or type(name) is not str or not _PLAIN.issuperset(name):
        name = clean_name(name)
    text = (
        f'{HEADER}{{"type":"subsegment","id":"{span.span_id}","trace_id":"{span.trace_id}",'
        f'"parent_id":"{span.parent_id}","name":{quoted(name[:MAX_NAME])},'
        f'"start_time":{start[:-6]}.{start[-6:]},{ending}'
    )
    if span.namespace:
        text += f',"namespace":"{span.namespace}"'
    if span.is_fault:
        text += ',"fault":true'
    if span.is_error:
        text += ',"error":true'
    if span.is_throttled:
        text += ',"throttle":true'
    if span.annotations or span.error is not None or has_more(span):
        from .details import details

        more = details(span, limit - len(text) - 1)
        if more:
            text += "," + more
    return (text + "}").encode("ascii")


def has_more(span: Span) -> bool:
    """Whether there is anything beside annotations and an exception."""
    return bool(span.metadata or span.links or span.events or span.http or span.aws or span.sql or span.cause)


def clean_name(name: object) -> str:
    """A name as X-Ray takes it: letters, digits, blanks and a few signs; never empty.

    >>> clean_name("## app.Orders.<locals>.charge(*)")
    '## app.Orders.locals.charge'
    >>> clean_name("?!")
    'unnamed'
    """
    kept = "".join([sign for sign in str(name)[: 4 * MAX_NAME] if sign.isalnum() or sign in _IN_NAMES])
    return kept[:MAX_NAME].strip() or "unnamed"
