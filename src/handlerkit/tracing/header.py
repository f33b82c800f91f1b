"""The trace header, `Root=...;Parent=...;Sampled=...`: text in, value out, and back. Pure.

Fields stand in any order. `Self` belongs to a load balancer and ends here; all others, such as `Lineage`, are opaque
and travel on.
"""

from __future__ import annotations

__all__ = ["TraceHeader"]

_HEX = frozenset("0123456789abcdef")
MAX_CHARACTERS = 2_048
"""Far beyond what any service sends; what is longer is not read."""


class TraceHeader:
    """What a caller says of its trace. Text is empty where it says nothing, or nothing that can be used.

    `root` is the trace's id, `parent` the id of the span that we are inside of, `sampled` `"1"`, `"0"`, `"?"` (to be
    decided later) or empty, `rest` the other fields as they came.

    >>> text = "Sampled=1;Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Lineage=a:0"
    >>> header = TraceHeader.parse(text)
    >>> header.is_recorded, header.rest
    (True, ('Lineage=a:0',))
    >>> header.render(parent="00f067aa0ba902b7")
    'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=00f067aa0ba902b7;Sampled=1;Lineage=a:0'
    """

    __slots__ = ("parent", "rest", "root", "sampled")

    def __init__(self, root: str = "", parent: str = "", sampled: str = "", rest: tuple[str, ...] = ()) -> None:
        self.root = root
        self.parent = parent
        self.sampled = sampled
        self.rest = rest

    @classmethod
    def parse(cls, text: str | None) -> TraceHeader:
        """Read a header; never raises. Of fields that come twice the first counts."""
        header = cls()
        if not text or len(text) > MAX_CHARACTERS:
            return header
        rest = []
        for field in text.split(";"):
            field = field.strip()
            name, _, value = field.partition("=")
            if name == "Root":
                header.root = header.root or (value if is_trace_id(value) else "")
            elif name == "Parent":
                header.parent = header.parent or (value if is_span_id(value) else "")
            elif name == "Sampled":
                header.sampled = header.sampled or (value if value in ("0", "1", "?") else "")
            elif value and name != "Self" and field.isascii() and field.isprintable():
                rest.append(field)
        header.rest = tuple(rest)
        return header

    @property
    def is_recorded(self) -> bool:
        """Whether spans are to be sent: there is a trace, a span to be inside of, and the decision to sample."""
        return self.sampled == "1" and bool(self.root and self.parent)

    def render(self, parent: str = "") -> str:
        """The header for a request that we make, with the span that makes it as its parent; empty without a root."""
        if not self.root:
            return ""
        fields = [f"Root={self.root}"]
        if parent or self.parent:
            fields.append(f"Parent={parent or self.parent}")
        if self.sampled:
            fields.append(f"Sampled={self.sampled}")
        return ";".join([*fields, *self.rest])

    def traceparent(self, parent: str = "") -> str:
        """The same as a W3C `traceparent`; empty without root or parent.

        >>> TraceHeader("1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8", "1").traceparent()
        '00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01'
        """
        parent = parent or self.parent
        if not self.root or not parent:
            return ""
        return f"00-{self.root[2:].replace('-', '')}-{parent}-{'01' if self.sampled == '1' else '00'}"


def is_trace_id(text: str) -> bool:
    """Whether it is `1-`, 8 hexadecimal digits (epoch seconds), `-`, 24 hexadecimal digits."""
    return len(text) == 35 and text[:2] == "1-" and text[10] == "-" and _is_hex(text[2:10]) and _is_hex(text[11:])


def is_span_id(text: str) -> bool:
    """Whether it is 16 hexadecimal digits."""
    return len(text) == 16 and _is_hex(text)


def _is_hex(text: str) -> bool:
    return _HEX.issuperset(text)
