"""Response streams: chunks leave as the handler produces them. Loaded when the first handler streams.

A generator or async generator is a stream by itself; any other iterable is one inside `StreamingResponse`. Nothing
is sent before the first chunk exists, so that what goes wrong until then is an ordinary error. What goes wrong
later travels in the trailers of the chunked body. A consumer that reads slowly stops the generator, because
every chunk is written before the next is asked for.
"""

import binascii

from . import protocol
from .errors import FunctionError, PlatformError, Terminated
from .wire import chunk, last_chunk, stream_head

__all__ = ["Stream", "StreamingResponse", "stream_of"]

MAX_PRELUDE_BYTES = 64 * 1024
"""Status, headers and cookies of an HTTP response. The platform's own limit is unconfirmed; API Gateway takes 10 kB
of headers, load balancers 64."""
SEPARATOR = bytes(8)
"""Between prelude and payload; the prelude is JSON and cannot hold a NUL."""
_END = object()


class StreamingResponse:
    """A streamed HTTP response: status, headers and cookies ahead of the chunks of `body`.

    `body` is any iterable or asynchronous iterable of bytes (or str, sent as UTF-8). `headers` maps names to text; a
    `Set-Cookie` belongs into `cookies`, a list of `name=value; …`. For function URLs and API Gateway with response
    streaming; a caller that invokes the function directly sees the prelude as part of the payload.
    """

    def __init__(
        self,
        body: "Iterable[bytes | str] | AsyncIterable[bytes | str]",
        *,
        status_code: int = 200,
        headers: "Mapping[str, str] | None" = None,
        cookies: "Sequence[str] | None" = None,
        content_type: "str | None" = None,
    ) -> None:
        self.body = body
        self.status_code = status_code
        self.headers: dict[Any, Any] = dict(headers or {})  # as given; checked when it is sent
        self.cookies = list(cookies or [])
        if content_type is not None and not any(str(name).lower() == "content-type" for name in self.headers):
            self.headers["Content-Type"] = content_type

    def __lambda_stream__(self) -> "tuple[str, bytes, object]":
        """Content type, prelude and chunks, as the runtime asks any result for that has this method."""
        return protocol.HTTP_INTEGRATION, self._prelude(), self.body

    def _prelude(self) -> bytes:
        from . import marshal  # the module is loaded; the name is only needed here

        if type(self.status_code) is not int or not 100 <= self.status_code <= 599:
            raise _unusable(f"status_code is {self.status_code!r}, not a number from 100 to 599")
        for name, value in self.headers.items():
            if not (isinstance(name, str) and isinstance(value, str)):
                raise _unusable(f"header {name!r} is {value!r}: names and values are text")
            if not name or any(character in f"{name}{value}" for character in "\r\n\0"):
                raise _unusable(f"header {name!r} is empty or has a line break or NUL in it")
        if not all(isinstance(cookie, str) for cookie in self.cookies):
            raise _unusable("cookies is not a list of text")
        values: dict[str, object] = {"statusCode": self.status_code, "headers": self.headers}
        if self.cookies:
            values["cookies"] = self.cookies
        prelude = marshal.dumps(values)
        if len(prelude) > MAX_PRELUDE_BYTES:
            raise _unusable(f"status, headers and cookies take {len(prelude)} bytes, more than {MAX_PRELUDE_BYTES}")
        return prelude + SEPARATOR


class Stream:
    """Chunks on their way: the first has been produced, nothing has been sent."""

    def __init__(self, source: "_Source", content_type: str, first: bytes) -> None:
        self.content_type = content_type
        self._source = source
        self._first = first

    def send(self, client: "RuntimeClient", invocation: "Invocation") -> None:
        """Send all chunks and end the invocation. Errors of the handler and a lost consumer are dealt with here."""
        client.begin_stream(invocation, stream_head(client.address, invocation, self.content_type), self._first)
        self._first = b""
        try:
            while (data := self._source.next_chunk()) is not None:
                if data and not client.send_chunk(chunk(data)):
                    self._source.close()
                    break
            ending = last_chunk(None, None)
        except (Terminated, PlatformError):
            raise
        except BaseException as error:  # noqa: BLE001  # the handler's own, as in the loop
            ending = self._failed(error, invocation)
        client.end_stream(ending)

    def _failed(self, error: BaseException, invocation: "Invocation") -> bytes:
        from . import faults  # late: only a failing stream pays for it

        fault = faults.of_invocation(error, invocation)
        self._source.output.error(fault)
        self._source.output.flush()
        document = binascii.b2a_base64(fault.document, newline=False).decode("ascii")
        return last_chunk(fault.header_type, document)


def stream_of(result: object, function: "Function") -> "Stream | None":
    """The stream that `result` stands for, with its first chunk produced, or None where it stands for none."""
    kind = type(result)
    prelude = b""
    content_type = protocol.OCTET_STREAM
    if hasattr(kind, "__lambda_stream__"):
        content_type, prelude, body = result.__lambda_stream__()  # type: ignore[attr-defined]
    elif kind.__name__ in ("generator", "async_generator") and kind.__module__ == "builtins":
        body = result
    else:
        return None
    source = _Source(body, function)
    first = b""
    # Up to the first chunk with something in it: an empty one must not start a response that may yet fail.
    while not first:
        data = source.next_chunk()
        if data is None:
            break
        first = data
    return Stream(source, content_type, prelude + first)


class _Source:
    """The chunks of one body, synchronous or not, one at a time."""

    def __init__(self, body: "Any", function: "Function") -> None:
        self.output = function.output
        self._function = function
        self._count = 0
        if isinstance(body, (bytes, str, bytearray)):
            body = (body,)
        self._asynchronous = hasattr(body, "__aiter__")
        try:
            self._chunks: Any = body.__aiter__() if self._asynchronous else iter(body)
        except TypeError:
            raise _unusable(f"the body is a {type(body).__name__}, which is not iterable") from None

    def next_chunk(self) -> "bytes | None":
        """The next chunk, possibly empty; None at the end."""
        if self._asynchronous:
            data = self._function.waiter.wait_for(self._next_asynchronous())
        else:
            data = next(self._chunks, _END)
        if data is _END:
            return None
        self._count += 1
        if type(data) is bytes:
            return data
        if isinstance(data, str):
            return data.encode("utf-8", "replace")
        if isinstance(data, (bytes, bytearray, memoryview)):
            return bytes(data)
        self.close()
        raise FunctionError(
            protocol.MARSHAL_ERROR,
            f"Unable to marshal response: a stream is made of bytes or str; chunk {self._count} is a "
            f"{type(data).__name__}",
        )

    def close(self) -> None:
        """Let the generator run its `finally`; whatever it raises then is logged by nobody but us."""
        try:
            if self._asynchronous:
                if hasattr(self._chunks, "aclose"):
                    self._function.waiter.wait_for(self._chunks.aclose())
            elif hasattr(self._chunks, "close"):
                self._chunks.close()
        except Exception as error:  # noqa: BLE001
            self.output.warning(f"closing the response stream failed: {type(error).__name__}: {error}")

    async def _next_asynchronous(self) -> object:
        return await anext(self._chunks, _END)


def _unusable(reason: str) -> FunctionError:
    return FunctionError(protocol.MARSHAL_ERROR, f"Unable to marshal response: StreamingResponse: {reason}")


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
    from typing import Any

    from .client import RuntimeClient
    from .function import Function
    from .invocation import Invocation
