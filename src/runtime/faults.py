"""An exception as the platform and the operator see it: error document, log record, X-Ray cause.

Loaded with the first error. Tracebacks start in user code: leading frames of this package and of the import
system are left out. Causes, exception groups and notes are shown, each after what it led to. Everything is bounded,
and nothing an exception does (a `__str__` that raises, a message of 100 MB, a cycle of causes) breaks it.
"""

import sys
import traceback

from . import marshal, protocol
from .errors import FunctionError

__all__ = ["Fault", "message_of", "of_hook", "of_init", "of_invocation", "stack_trace_of"]

ERROR_TYPE_HOOK = "__lambda_error_type__"
"""An exception's attribute by which a framework that does not import this package says what Lambda calls the error.
Only `Runtime.MarshalError` is taken: it writes results in this runtime's stead, all else is told of by the class."""
MAX_MESSAGE = 65_536
"""Characters of an error message that are kept."""
MAX_TYPE = 200
"""Characters of a class's name that are kept."""
MAX_FRAMES = 64
"""Stack entries kept of one exception: the outermost 16 and the innermost 48."""
MAX_LINE = 1_000
"""Characters kept of one stack entry (source lines of generated code can be enormous)."""
MAX_RELATED = 12
"""Causes and group members shown in all."""
_HERE = __file__.rpartition("/")[0] + "/"


class Fault:
    """One reported error.

    `error_type` and `message` as the caller sees them, `stack_trace` a list of text blocks, `header_type` what the
    platform puts into its metrics, `document` the JSON body, `xray_cause` the header value or None.
    """

    __slots__ = (
        "document",
        "error_type",
        "header_type",
        "message",
        "request_id",
        "stack_trace",
        "tenant_id",
        "xray_cause",
    )

    def __init__(
        self,
        error_type: str,
        message: str,
        stack_trace: "list[str]",
        header_type: str,
        xray_cause: "str | None",
        invocation: "Invocation | None",
    ) -> None:
        self.error_type = error_type
        self.message = message
        self.stack_trace = stack_trace
        self.header_type = header_type
        self.xray_cause = xray_cause
        self.request_id = invocation.request_id if invocation else ""
        self.tenant_id = invocation.tenant_id if invocation else None
        self.document = self._document()

    def _document(self) -> bytes:
        values = {
            "errorMessage": self.message,
            "errorType": self.error_type,
            "requestId": self.request_id,
            "stackTrace": self.stack_trace,
        }
        document = marshal.dumps(values)
        if len(document) > protocol.MAX_ERROR_BYTES:  # text that JSON has to escape throughout, six bytes a character
            document = marshal.dumps({**values, "errorMessage": self.message[:4096], "stackTrace": []})
        return document

    def text_record(self, timestamp: str) -> str:
        """The log record in text format: like any other record, the traceback below it."""
        title = ": ".join(part for part in (self.error_type, self.message) if part)
        record = f"[ERROR]\t{timestamp}\t{self.request_id}\t{title}\n"
        if self.stack_trace:
            if self.stack_trace[0].startswith("  "):  # else it begins with a cause, and no frame is the function's
                record += "Traceback (most recent call last):\n"
            record += "".join(block if block.endswith("\n") else block + "\n" for block in self.stack_trace)
        return record

    def json_record(self, timestamp: str) -> str:
        """The log record as one line of JSON."""
        values = {
            "timestamp": timestamp,
            "level": "ERROR",
            "errorMessage": self.message,
            "errorType": self.error_type,
            "requestId": self.request_id,
            "stackTrace": self.stack_trace,
        }
        if self.tenant_id is not None:
            values["tenantId"] = self.tenant_id
        return marshal.dumps(values).decode()


def of_invocation(error: BaseException, invocation: "Invocation") -> Fault:
    """The fault of an invocation: a `FunctionError` under its own type, anything else under its class's name."""
    return _fault(error, invocation)


def of_init(error: BaseException, header_type: "str | None" = None) -> Fault:
    """The fault of an initialisation; `header_type` overrides what the platform's metrics will say."""
    return _fault(error, None, header_type)


def of_hook(error: BaseException, title: str, invocation: "Invocation | None") -> Fault:
    """The fault of a hook, for the log; `title` says which."""
    fault = _fault(error, invocation)
    fault.message = f"{title} failed: {fault.message}"
    return fault


def message_of(error: BaseException) -> str:
    """`str(error)`, shortened, whatever its class makes of it."""
    try:
        message = str(error)
    except BaseException:  # noqa: BLE001  # user code: it may do anything, also exit
        return f"<{type(error).__name__} whose str() failed>"
    if len(message) > MAX_MESSAGE:
        return f"{message[:MAX_MESSAGE]}… ({len(message) - MAX_MESSAGE} characters left out)"
    return message


def _fault(error: BaseException, invocation: "Invocation | None", header_type: "str | None" = None) -> Fault:
    if isinstance(error, FunctionError):
        # Its own frames are ours and say nothing; those of the exception behind it are the user's.
        error_type, message = error.error_type, message_of(error)
        shown: BaseException | None = error.__cause__
        stack_trace = [*error.stack_trace, *(stack_trace_of(shown) if shown is not None else [])]
        xray_type, header = "LambdaValidationError", error_type
    elif _is_marshal_error(error):
        error_type, message = protocol.MARSHAL_ERROR, f"Unable to marshal response: {message_of(error)}"
        shown = error
        stack_trace = stack_trace_of(error)
        xray_type, header = "LambdaValidationError", error_type
    else:
        error_type, message = type(error).__name__[:MAX_TYPE], _exit_aware(error)
        shown = error
        stack_trace = stack_trace_of(error)
        xray_type, header = error_type, f"Function.{_class_for_header(error_type)}"
    cause = _xray_cause(xray_type, message, shown)
    return Fault(error_type, message, stack_trace, header_type or header, cause, invocation)


def _is_marshal_error(error: BaseException) -> bool:
    declared = _attribute(error, ERROR_TYPE_HOOK)
    return type(declared) is str and declared == protocol.MARSHAL_ERROR


def _attribute(error: BaseException, name: str) -> object:
    try:
        return getattr(error, name, None)
    except BaseException:  # noqa: BLE001  # user code, as above
        return None


def _exit_aware(error: BaseException) -> str:
    message = message_of(error)
    if isinstance(error, SystemExit):
        return f"sys.exit({message}) was called, which a function has no use for"
    if isinstance(error, KeyboardInterrupt) and not message:
        return "KeyboardInterrupt was raised"
    return message


def _class_for_header(name: str) -> str:
    """The class's name as the platform can read it: letters only, the first a capital."""
    letters = "".join(character for character in name if character.isascii() and character.isalpha())
    return letters[:1].upper() + letters[1:120] if len(letters) > 1 else "Unknown"


# --- stack traces ----------------------------------------------------------------------------------------------


def stack_trace_of(error: BaseException) -> "list[str]":
    """Text blocks: the frames of `error`, then its notes, then what it was raised from or consists of."""
    return [block for _, blocks in _related(error) for block in blocks]


def _related(error: BaseException) -> "Iterator[tuple[BaseException, list[str]]]":
    """`error` and all that belongs to it, each with its text blocks; the first has no title of its own."""
    waiting: list[tuple[str, BaseException]] = [("", error)]
    seen: set[int] = set()
    while waiting:
        title, current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        if len(seen) > MAX_RELATED:
            yield current, ["… and further exceptions, left out\n"]
            return
        blocks = [f"{title}: {type(current).__name__}: {message_of(current)[:MAX_LINE]}\n"] if title else []
        blocks += _frames_as_text(current)
        blocks += _notes(current)
        yield current, blocks
        waiting[:0] = _direct_relations(current)


def _direct_relations(error: BaseException) -> "list[tuple[str, BaseException]]":
    relations: list[tuple[str, BaseException]] = []
    if isinstance(error, BaseExceptionGroup):
        total = len(error.exceptions)
        relations += [
            (f"Member {number} of {total}", member) for number, member in enumerate(error.exceptions, start=1)
        ]
    if error.__cause__ is not None:
        relations.append(("Caused by", error.__cause__))
    elif error.__context__ is not None and not error.__suppress_context__:
        relations.append(("While handling", error.__context__))
    return relations


def _frames_as_text(error: BaseException) -> "list[str]":
    # traceback folds a frame that repeats itself, as recursion makes them; alternating ones are cut here.
    blocks = [
        block if len(block) <= MAX_LINE else block[:MAX_LINE] + "…\n"
        for block in traceback.StackSummary.from_list(_frames(error)).format()
    ]
    if len(blocks) > MAX_FRAMES:
        left_out = len(blocks) - MAX_FRAMES
        blocks[16 : len(blocks) - 48] = [f"  … {left_out} frames left out\n"]
    return blocks


def _frames(error: BaseException) -> "list[traceback.FrameSummary]":
    frames = traceback.extract_tb(error.__traceback__)
    start = 0
    while start < len(frames) and _is_machinery(frames[start].filename):
        start += 1
    return frames[start:]


def _is_machinery(path: str) -> bool:
    framework = getattr(sys.modules.get("handlerkit"), "__file__", None)
    if framework and path.startswith(framework.rpartition("/")[0] + "/"):
        return True  # its decorators stand between the runtime and user code
    # asyncio's frames lead to an async handler; further in they are part of the story and stay.
    return path.startswith((_HERE, "<frozen importlib")) or "/asyncio/" in path


def _notes(error: BaseException) -> "list[str]":
    notes = _attribute(error, "__notes__")
    if not isinstance(notes, (list, tuple)):
        return []
    return [f"Note: {note[:MAX_LINE]}\n" for note in notes[:MAX_FRAMES] if isinstance(note, str)]


# --- X-Ray -----------------------------------------------------------------------------------------------------


def _xray_cause(error_type: str, message: str, error: "BaseException | None") -> "str | None":
    """The cause header: compact ASCII JSON, within the platform's limit; frames go first when it is too long."""
    stacks = [] if error is None else [(related, _xray_stack(related)) for related, _ in _related(error)]
    first = stacks[0][1] if stacks else []
    exceptions: list[dict[str, Any]] = [{"message": message, "type": error_type, "stack": first}]
    exceptions += [
        {"message": message_of(related), "type": type(related).__name__[:MAX_TYPE], "stack": stack}
        for related, stack in stacks[1:]
    ]
    for frames, characters in ((MAX_FRAMES, 4096), (16, 1024), (4, 256), (0, 128)):
        cut = [
            {
                "message": item["message"][:characters],
                "type": item["type"],
                "stack": item["stack"][-frames:] if frames else [],
            }
            for item in exceptions[: max(1, frames // 4)]
        ]
        paths = sorted({frame["path"] for item in cut for frame in item["stack"]})
        text = _ascii({"working_directory": _working_directory(), "exceptions": cut, "paths": paths})
        if len(text) <= protocol.MAX_XRAY_CAUSE_BYTES:
            return text
    return None


def _xray_stack(error: BaseException) -> "list[dict[str, object]]":
    return [
        {"path": frame.filename, "line": frame.lineno or 0, "label": frame.name}
        for frame in _frames(error)[-MAX_FRAMES:]
    ]


def _working_directory() -> str:
    from posix import getcwd

    try:
        return getcwd()
    except OSError:  # the handler removed it
        return ""


def _ascii(value: object) -> str:
    """JSON in which everything beyond ASCII is escaped, as a header value has to be."""
    text = marshal.dumps(value).decode()
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(
        character if character < "\x7f" else "".join(f"\\u{unit:04x}" for unit in _utf16_units(character))
        for character in text
    )


def _utf16_units(character: str) -> "Iterator[int]":
    data = character.encode("utf-16-be", "surrogatepass")
    for index in range(0, len(data), 2):
        yield int.from_bytes(data[index : index + 2], "big")


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .invocation import Invocation
