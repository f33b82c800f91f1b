"""The loop: next, call, answer. Everything an invocation passes through is on this page."""

from .environ import set_trace_id
from .errors import Terminated
from .invocation import current
from .reporting import fault_of

__all__ = ["run"]


def run(
    client: "RuntimeClient",
    function: "Function",
    publish_trace_id: "Callable[[str | None], object]" = set_trace_id,
) -> None:
    """Serve invocations until the process is told to end (`Terminated`) or the platform fails (`PlatformError`)."""
    output = function.output
    while True:
        invocation = client.next()
        current.set(invocation)
        output.invocation = invocation
        publish_trace_id(invocation.trace_id)
        try:
            body, content_type = function.serve(invocation)
        except Terminated:
            raise
        except BaseException as error:  # also the handler's own SystemExit and KeyboardInterrupt
            if client.belongs_to_parent:
                raise  # a child that the handler forked; the invocation is its parent's
            fault = fault_of(error, invocation)
            output.error(fault)
            output.flush()
            client.fail(invocation, fault.document, fault.header_type, fault.xray_cause)
            del error, fault
        else:
            output.flush()
            if isinstance(body, bytes):
                client.respond(invocation, body, content_type)
            else:
                body.send(client, invocation)
            del body
        if invocation.after_response is not None:
            from . import lifecycle  # late: only where the handler left work for after the response

            client.flush()
            lifecycle.run_after_response(invocation, function)


TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost 4 ms of every cold start
    from collections.abc import Callable

    from .client import RuntimeClient
    from .function import Function
