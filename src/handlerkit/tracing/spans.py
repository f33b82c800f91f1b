"""The span: a piece of an invocation with a name, a beginning and an end, and what is to be known of it.

Shaped as OpenTelemetry has it (name, ids, attributes, status, events, links), with X-Ray's two kinds of attributes:
annotations, by which traces are found, and metadata, which is only shown. The span that encloses the running code is
in a context variable, so tasks, threads with a copied context and concurrent invocations see their own.

Nothing here fails the code that it observes, whatever it is given and in whatever order it is called.
"""

from __future__ import annotations

import os
import time

from handlerkit.scope import current as current_scope
from handlerkit.scope import current_span as current

from .no_span import NOTHING, NoSpan

__all__ = ["Span", "annotate", "current_span", "span"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, Self

    from .header import TraceHeader
    from .trace import Trace

MAX_EVENTS = 128
MAX_LINKS = 100
"""Of one span; OpenTelemetry's own limit is 128 for either."""


class Span:
    """A piece of work. `with` makes it the enclosing one and ends it; `end` does so, too.

    `error` is the exception recorded, until the span has ended; `is_fault`, `is_error`, `is_throttled` are flags of
    X-Ray's.
    `aws`, `sql`, `cause`, `foreign` and `told_cause` are aws-xray-sdk's, `backend` and `outside` OpenTelemetry's.
    """

    __slots__ = (
        "_pid",
        "annotations",
        "aws",
        "backend",
        "cause",
        "cause_below",
        "end_ns",
        "error",
        "events",
        "foreign",
        "http",
        "is_announced",
        "is_error",
        "is_fault",
        "is_throttled",
        "links",
        "metadata",
        "name",
        "namespace",
        "outside",
        "parent",
        "span_id",
        "sql",
        "start_ns",
        "told_cause",
        "trace",
    )

    is_recording = True

    def __init__(
        self,
        trace: Trace,
        name: str,
        parent: Span | None = None,
        annotations: dict[str, Any] | None = None,
        namespace: str = "",
        span_id: str = "",
    ) -> None:
        self.trace: Any = trace
        self.name = name
        self.parent = parent
        self.annotations = annotations
        self.namespace = namespace
        # From the kernel: neither a fork nor a restored snapshot repeats them.
        self.span_id = span_id or os.urandom(8).hex()
        self.metadata: dict[str, dict[str, Any]] | None = None
        self.events: list[tuple[str, int, dict[str, Any]]] | None = None
        self.links: list[dict[str, Any]] | None = None
        self.http: dict[str, Any] | None = None
        self.aws: dict[str, Any] | None = None
        self.sql: dict[str, Any] | None = None
        self.error: BaseException | None = None
        self.cause_below: tuple[BaseException, str] | None = None
        self.is_fault = self.is_error = self.is_throttled = self.is_announced = False
        self.cause: dict[str, Any] | str | None = None
        self.told_cause = ""
        self.foreign: Any = None
        self.backend: Any = None
        self.outside: Any = None
        self.end_ns = 0
        self._pid = os.getpid()
        self.start_ns = time.time_ns()
        trace.opened(self)

    def __repr__(self) -> str:
        return f"<Span {self.name!r} {self.span_id} {'open' if not self.end_ns else 'ended'}>"

    @property
    def trace_id(self) -> str:
        """As X-Ray writes it, `1-<8 hex>-<24 hex>`."""
        root: str = self.trace.header.root
        return root

    @property
    def parent_id(self) -> str:
        """Of the span around it, or of the function's own segment, which is Lambda's."""
        if self.parent is not None:
            return self.parent.span_id
        parent: str = self.trace.header.parent
        return parent

    # --- what is to be known of it ------------------------------------------------------------------------------------

    def annotate(self, **annotations: Any) -> None:
        """Values to find traces by: text, numbers, bools; what is something else is taken as its text."""
        if self.annotations is None:
            self.annotations = annotations
        else:
            self.annotations.update(annotations)

    def add_metadata(self, key: str, value: Any, namespace: str = "default") -> None:
        """A value to look at. It is written when the span ends; what JSON cannot say is replaced by what it is."""
        if self.metadata is None:
            self.metadata = {}
        self.metadata.setdefault(namespace, {})[key] = value

    def add_event(self, name: str, **attributes: Any) -> None:
        """Something that happened now. X-Ray has no place of its own for it: it is among the metadata there."""
        if self.events is None:
            self.events = []
        if len(self.events) < MAX_EVENTS:
            self.events.append((name, time.time_ns(), attributes))

    def add_link(self, trace_id: str, span_id: str, **attributes: Any) -> None:
        """Another trace's span that this one goes back to, such as the sender of a message."""
        if self.links is None:
            self.links = []
        if len(self.links) < MAX_LINKS:
            link: dict[str, Any] = {"trace_id": trace_id, "id": span_id}
            self.links.append({**link, "attributes": attributes} if attributes else link)

    def record_exception(self, error: BaseException) -> None:
        """An exception that the code dealt with itself; the span is a fault."""
        self.error = error
        self.is_fault = True

    def set_status(self, status: Literal["ok", "error", "fault", "throttle"]) -> None:
        """`error` is the caller's fault (4xx), `fault` ours (5xx); what is throttled is an error, too."""
        self.is_fault = status == "fault"
        self.is_error = status in ("error", "throttle")
        self.is_throttled = status == "throttle"

    def set_http(
        self, *, method: str = "", url: str = "", status: int | None = None, content_length: int | None = None
    ) -> None:
        """The request that the span stands for and its response; a status of 400 and above is the span's, too.

        A query string may hold secrets, so it is cut off.
        """
        self.http = self.http or {}
        if method or url:
            request = self.http.setdefault("request", {})
            request.update({"method": method} if method else {})
            request.update({"url": url.partition("?")[0]} if url else {})
        if status is not None or content_length is not None:
            response = self.http.setdefault("response", {})
            response.update({"status": status} if status is not None else {})
            response.update({"content_length": content_length} if content_length is not None else {})
        if status is not None and status >= 400:
            self.set_status("fault" if status >= 500 else "throttle" if status == 429 else "error")

    # --- its beginning and its end ------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        current.set(self)
        if self.backend is not None:
            self.outside = self.trace.entered(self)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None and type(error) is not GeneratorExit:
            self.error = error
            self.is_fault = True
        self.end()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.__exit__(kind, error, traceback)

    def end(self) -> None:
        """It is over, and sent; a second end says nothing. What encloses the code is then the span around it."""
        if self.end_ns:
            return
        # Never before the beginning, though somebody may have set the clock.
        self.end_ns = max(time.time_ns(), self.start_ns)
        if current.get() is self:
            current.set(self.around())
        if self.is_ours:
            self.trace.ended(self)
        self.error = self.cause_below = None  # whose frames hold this span, and all that the function had

    @property
    def is_ours(self) -> bool:
        """Whether this process has opened it. A forked child leaves the block, too, but the span is its parent's."""
        return self._pid == os.getpid()

    def around(self) -> Span | None:
        """The nearest span around this one that is still open."""
        span = self.parent
        while span is not None and span.end_ns:
            span = span.parent
        return span

    def outgoing_header(self) -> str:
        """`X-Amzn-Trace-Id` for a request that is made inside of this span."""
        header: TraceHeader = self.trace.header
        return header.render(self.span_id)


def span(name: str, /, *, remote: bool = False, **annotations: Any) -> Span | NoSpan:
    """A span inside of the present one, begun now: `with span("charge", order_id="A-17") as charge:`.

    `remote` is for a call to another service: the name is then that service's, and the service map shows it. Where the
    invocation is not sampled, what is returned takes everything and does nothing.
    """
    parent = current.get()
    if parent is None:
        if current_scope.get() is not None:
            return NOTHING
        from .outside import trace_outside

        trace = trace_outside(name)
        if trace is None:
            return NOTHING
        return Span(trace, name, None, annotations or None, "remote" if remote else "")
    return Span(parent.trace, name, parent, annotations or None, "remote" if remote else "")


def current_span() -> Span | NoSpan:
    """The span that encloses this code."""
    found: Span | None = current.get()
    return NOTHING if found is None else found


def annotate(**annotations: Any) -> None:
    """Annotate the span that encloses this code."""
    found: Span | None = current.get()
    if found is not None:
        found.annotate(**annotations)
