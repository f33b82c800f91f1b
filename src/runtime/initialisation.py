"""From a handler's name to a `Function`, or to a reported init error."""

import gc

from .errors import PlatformError, Terminated
from .function import Function
from .loader import load_handler
from .reporting import init_fault_of

__all__ = ["load_or_report"]


def load_or_report(name: str, settings: "Settings", output: "Output", client: "RuntimeClient") -> "Function | None":
    """Load the handler; None when that failed, which is logged and posted then. Only before the first `next`."""
    try:
        function = Function(load_handler(name), settings, output)
        # What is loaded stays: the collector need not look through it during invocations. Costs nothing (two lists
        # are joined); without it the first full collection, 10 to 20 ms with pydantic and boto3, falls into one.
        gc.freeze()
        return function
    except Terminated:
        raise
    except BaseException as error:  # also a module that calls sys.exit
        if client.belongs_to_parent:
            raise  # a child that the module forked; it is none of the platform's business
        fault = init_fault_of(error)
        output.error(fault)
        output.flush()
        try:
            client.init_error(fault.document, fault.header_type)
        except PlatformError:
            # With several workers the first report wins, and the others are refused.
            if settings.max_concurrency is None:
                raise
        return None


TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import RuntimeClient
    from .environ import Settings
    from .output import Output
