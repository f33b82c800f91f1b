"""The loop: next, context, handler, answer. Everything an invocation passes through is on this page.

**The raw hook.** A handler may carry a method named `__lambda_raw__(body: bytes, context) -> bytes`. Where it
does, the event's bytes go straight to it and its bytes straight back, and no JSON is parsed or written here: a
typed handler validates the bytes in one pass. The attribute's name is all that the framework and this runtime
share; neither imports the other.
"""

from . import marshal, protocol
from .environ import set_trace_id
from .errors import FunctionError, Terminated
from .invocation import Invocation, LambdaContext, current

__all__ = ["RAW_HOOK", "run"]

RAW_HOOK = "__lambda_raw__"


def run(client: "RuntimeClient", handler: "Callable[..., Any]", settings: "Settings", output: "Output") -> None:
    """Serve invocations until the process is told to end (`Terminated`) or the platform fails (`PlatformError`)."""
    raw = getattr(handler, RAW_HOOK, None)
    while True:
        invocation = client.next()
        current.set(invocation)
        output.invocation = invocation
        set_trace_id(invocation.trace_id)
        try:
            context = LambdaContext(invocation, settings, output.write)
            body, content_type = _serve(raw, handler, invocation, context)
        except Terminated:
            raise
        except BaseException as error:  # noqa: BLE001  # also the handler's own SystemExit and KeyboardInterrupt
            from . import faults  # late: only a failing invocation pays for it

            fault = faults.of_invocation(error, invocation)
            output.error(fault)
            output.flush()
            client.fail(invocation, fault.document, fault.header_type, fault.xray_cause)
            del error, fault
        else:
            output.flush()
            client.respond(invocation, body, content_type)
            del body


def _serve(
    raw: "Callable[..., Any] | None",
    handler: "Callable[..., Any]",
    invocation: Invocation,
    context: LambdaContext,
) -> "tuple[bytes, str]":
    """The handler's result as bytes and their content type; raises what is wrong with event, handler or result."""
    content_type = protocol.JSON
    if raw is not None:
        body = raw(invocation.body, context)
    else:
        result = handler(_event(invocation), context)
        if type(result) is bytes:
            body, content_type = result, protocol.BYTES_RESULT
        else:
            try:
                body = marshal.dumps(result)
            except ValueError as error:
                raise FunctionError(protocol.MARSHAL_ERROR, f"Unable to marshal response: {error}") from None
    if len(body) > protocol.MAX_RESPONSE_BYTES:
        # Refused by the platform anyway, which would cost the connection; here it costs this invocation only.
        raise FunctionError(
            protocol.RESPONSE_TOO_LARGE,
            f"Response payload size ({len(body)} bytes) exceeded maximum allowed payload size "
            f"({protocol.MAX_RESPONSE_BYTES} bytes).",
        )
    return body, content_type


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

    from .client import RuntimeClient
    from .environ import Settings
    from .output import Output
