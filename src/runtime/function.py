"""The loaded handler and one call of it: event in, answer out. Knows neither the wire nor the loop.

**The raw hook.** A handler may carry a method named `__lambda_raw__(body: bytes, context) -> bytes`. Where it
does, the event's bytes go straight to it and its bytes straight back, and no JSON is parsed or written here: a
typed handler validates the bytes in one pass. `__lambda_prepare__()`, if there, is called once at the end of the
initialisation, so that the first event need not load what all need. `__lambda_shutdown__()`, if there afterwards, is a
hook of `on_shutdown`. The context has `__lambda_after_response__(function)`; where threads serve, the environment's
variables say `__lambda_by_context__`; `faults` knows an exception's `__lambda_error_type__`. These names, and the two
that `output` gives the standard streams, are all that the framework and this runtime share; neither imports the other.

A handler may also return something to wait for (`async def`) or a stream of chunks; both are rare enough that what
they need is loaded when the first one turns up.
"""

from . import marshal, protocol
from .errors import FunctionError
from .invocation import Invocation, LambdaContext

__all__ = ["PREPARE_HOOK", "RAW_HOOK", "SHUTDOWN_HOOK", "Function"]

RAW_HOOK = "__lambda_raw__"
PREPARE_HOOK = "__lambda_prepare__"
SHUTDOWN_HOOK = "__lambda_shutdown__"

_ORDINARY = frozenset({dict, list, str, int, float, bool, type(None), bytes})
"""Types of a result that is complete as it is; for all others it is worth a look what they can do."""


class Function:
    """A handler with what its invocations share."""

    def __init__(self, handler: "Callable[..., Any]", settings: "Settings", output: "Output") -> None:
        self._handler = handler
        self._raw: Callable[..., Any] | None = getattr(handler, RAW_HOOK, None)
        self._settings = settings
        self.output = output
        self._waiter: Waiter | None = None
        prepare: Callable[[], object] | None = getattr(handler, PREPARE_HOOK, None)
        if prepare is not None:
            prepare()
            shutdown: Callable[[], object] | None = getattr(handler, SHUTDOWN_HOOK, None)
            if shutdown is not None:
                from .lifecycle import on_shutdown  # late: few frameworks have something to end

                on_shutdown(shutdown)

    def serve(self, invocation: Invocation) -> "tuple[bytes | Stream, str]":
        """Call the handler; the answer's body (bytes, or a stream that has produced its first chunk) and its type.

        Raises what is wrong with the event, the handler or its result.
        """
        if self._raw is not None:  # the ordinary case of a handler with the raw hook, without a call that is not its
            result = self._raw(invocation.body, LambdaContext(invocation, self._settings, self.output.write))
            if type(result) is bytes and len(result) <= protocol.MAX_RESPONSE_BYTES:
                return result, protocol.JSON
        else:
            result = self.call(invocation)
        if type(result) in _ORDINARY:
            return self.encode(result)
        if hasattr(result, "__await__"):
            result = self.waiter.wait_for(result)
        return self.finish(result)

    def call(self, invocation: Invocation) -> "Any":
        """The handler's own result, which may be something to wait for."""
        context = LambdaContext(invocation, self._settings, self.output.write)
        if self._raw is not None:
            return self._raw(invocation.body, context)
        return self._handler(_event(invocation), context)

    def is_ordinary(self, result: object) -> bool:
        """Whether `encode` is all that the result needs."""
        return type(result) in _ORDINARY

    def finish(self, result: "Any") -> "tuple[bytes | Stream, str]":
        """The answer for a result that may be a stream."""
        if type(result) not in _ORDINARY:
            from . import streaming  # late: few handlers stream

            stream = streaming.stream_of(result, self)
            if stream is not None:
                return stream, stream.content_type
        return self.encode(result)

    def encode(self, result: "Any") -> "tuple[bytes, str]":
        """The answer for a result that is complete: bytes as they are, all else as JSON."""
        return _encoded(result, raw=self._raw is not None)

    @property
    def waiter(self) -> "Waiter":
        """What waits for awaitables; made on first need, for all invocations of the process."""
        if self._waiter is None:
            from .waiting import LoopHere  # late: 29 ms for asyncio, only where something is to be awaited

            self._waiter = LoopHere(self.output.warning)
        return self._waiter

    @waiter.setter
    def waiter(self, waiter: "Waiter") -> None:
        self._waiter = waiter

    def close(self) -> None:
        """Close what waiting needed, if anything did."""
        if self._waiter is not None:
            self._waiter.close()


def _encoded(result: "Any", *, raw: bool) -> "tuple[bytes, str]":
    content_type = protocol.JSON
    if isinstance(result, bytes):
        body = result
        if not raw:
            content_type = protocol.BYTES_RESULT
    else:
        try:
            body = marshal.dumps(result, protocol.MAX_RESPONSE_BYTES)
        except marshal.NotSerialisableError as error:
            raise FunctionError(protocol.MARSHAL_ERROR, f"Unable to marshal response: {error}") from None
        except marshal.TooLargeError as error:
            raise _too_large(f"at least {error.at_least_bytes}") from None
    if len(body) > protocol.MAX_RESPONSE_BYTES:
        raise _too_large(str(len(body)))
    return body, content_type


def _too_large(size_bytes: str) -> FunctionError:
    # Refused by the platform anyway, which would cost the connection; here it costs this invocation only.
    return FunctionError(
        protocol.RESPONSE_TOO_LARGE,
        f"Response payload size ({size_bytes} bytes) exceeded maximum allowed payload size "
        f"({protocol.MAX_RESPONSE_BYTES} bytes).",
    )


def _event(invocation: Invocation) -> object:
    """The parsed event, or the bytes themselves where the platform declares something other than JSON."""
    if invocation.content_type != protocol.JSON and not _is_json(invocation.content_type):
        return invocation.body
    try:
        return marshal.loads(invocation.body)
    except ValueError as error:
        raise FunctionError(protocol.UNMARSHAL_ERROR, f"Unable to unmarshal input: {error}") from None


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == protocol.JSON


TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost 4 ms of every cold start
    from collections.abc import Callable
    from typing import Any

    from .environ import Settings
    from .output import Output
    from .streaming import Stream
    from .waiting import Waiter
