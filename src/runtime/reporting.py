"""The fault of an error, come what may.

Describing an error needs the standard library (`traceback`), memory, open files, and exceptions that behave. Where
any of that is missing, the invocation still gets an answer, made of what is already loaded.
"""

from . import protocol
from .errors import Terminated

__all__ = ["fault_of", "init_fault_of"]


def fault_of(error: BaseException, invocation: "Invocation") -> "Fault | Undescribed":
    """The fault of an invocation's error."""
    try:
        from . import faults  # late: only a failing invocation pays for it

        return faults.of_invocation(error, invocation)
    except Terminated:
        raise
    except BaseException as failure:  # noqa: BLE001  # user code runs in here: __str__, properties, hooks of import
        return Undescribed(failure, invocation)


def init_fault_of(error: BaseException) -> "Fault | Undescribed":
    """The fault of an initialisation's error."""
    try:
        from . import faults  # late: only a failing start pays for it

        return faults.of_init(error)
    except Terminated:
        raise
    except BaseException as failure:  # noqa: BLE001  # as above
        return Undescribed(failure, None)


class Undescribed:
    """A fault of which only this much is known: something failed, and describing it failed too."""

    message = "the function failed, and its error could not be described"
    header_type = protocol.FUNCTION_UNKNOWN
    xray_cause = None

    def __init__(self, failure: BaseException, invocation: "Invocation | None") -> None:
        request_id = invocation.request_id if invocation is not None else ""
        # The names of built-in types are plain text; whatever else a class says of itself is not asked.
        name = type.__dict__["__name__"].__get__(type(failure))
        self._text = f"{self.message} ({name if name.isascii() and name.isidentifier() else 'unknown'})"
        self._request_id = "".join(
            character for character in request_id if character.isascii() and character not in '"\\'
        )
        self.document = (
            f'{{"errorMessage":"{self._text}","errorType":"{self.header_type}",'
            f'"requestId":"{self._request_id}","stackTrace":[]}}'
        ).encode("ascii", "replace")

    def text_record(self, timestamp: str) -> str:
        """One line in text format."""
        return f"[ERROR]\t{timestamp}\t{self._request_id}\t{self._text}\n"

    def json_record(self, timestamp: str) -> str:
        """One line of JSON."""
        return (
            f'{{"timestamp":"{timestamp}","level":"ERROR","errorMessage":"{self._text}",'
            f'"errorType":"{self.header_type}","requestId":"{self._request_id}","stackTrace":[]}}'
        )


TYPE_CHECKING = False
if TYPE_CHECKING:
    from .faults import Fault
    from .invocation import Invocation
