"""What `/next` delivered (`Invocation`) and what the handler sees of it (`LambdaContext`).

Made anew for every invocation and never changed by the runtime afterwards; nothing here is shared between two
invocations but the settings.
"""

import time
from _contextvars import ContextVar

from . import protocol
from .errors import FunctionError, PlatformError

__all__ = [
    "ClientContext",
    "ClientContextClient",
    "CognitoIdentity",
    "Invocation",
    "LambdaContext",
    "current",
]

current: "ContextVar[Invocation | None]" = ContextVar("runtime.invocation")
"""The invocation that the running code belongs to; unset outside of one and in threads that user code starts."""


class Invocation:
    """One event with what came along: text attributes, None where the platform sent nothing (or an empty value).

    `deadline_ms` is epoch milliseconds; `body` the event's bytes; `invocation_id` the nonce of this attempt;
    `after_response` the work left for when it is answered, None where there is none; `unfinished` what was printed
    without a line's end, by stream, where several invocations print at once.
    """

    __slots__ = (
        "after_response",
        "body",
        "client_context_json",
        "cognito_identity_json",
        "content_type",
        "deadline_ms",
        "function_arn",
        "invocation_id",
        "request_id",
        "tenant_id",
        "trace_id",
        "unfinished",
    )

    def __init__(self, headers: "dict[str, str]", body: bytes) -> None:
        """Read `headers` (lower-case names); raises `PlatformError` for those that no event can be without."""
        get = headers.get
        request_id = get(protocol.REQUEST_ID)
        if not request_id or " " in request_id:
            raise PlatformError(f"/next delivered an event without a usable request id ({request_id!r})")
        self.request_id: str = request_id
        deadline_ms = get(protocol.DEADLINE_MS) or "0"
        try:
            self.deadline_ms = int(deadline_ms)
        except ValueError:
            raise PlatformError(
                f"/next delivered an event whose deadline is not in milliseconds: {deadline_ms[:40]!r}"
            ) from None
        self.body = body
        self.after_response: list[Hook] | None = None
        self.unfinished: dict[object, str] | None = None
        # Managed instances send headers they have no value for with an empty one: empty means absent.
        self.content_type = get("content-type") or protocol.JSON
        self.function_arn = get(protocol.FUNCTION_ARN) or None
        self.trace_id = get(protocol.TRACE_ID) or None
        self.invocation_id = get(protocol.INVOCATION_ID) or None
        self.tenant_id = get(protocol.TENANT_ID) or None
        self.client_context_json = get(protocol.CLIENT_CONTEXT) or None
        self.cognito_identity_json = get(protocol.COGNITO_IDENTITY) or None

    def is_same_attempt(self, other: "Invocation") -> bool:
        """Whether both are deliveries of one attempt.

        A retry of the same request has another nonce, or, on platforms that send none, a later deadline.
        """
        return (
            self.request_id == other.request_id
            and self.invocation_id == other.invocation_id
            and self.deadline_ms == other.deadline_ms
        )


class ClientContextClient:
    """The application that called, as AWS's mobile SDKs describe it; None where they left something out."""

    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")

    def __init__(self, values: "dict[str, Any]") -> None:
        self.installation_id = values.get("installation_id")
        self.app_title = values.get("app_title")
        self.app_version_name = values.get("app_version_name")
        self.app_version_code = values.get("app_version_code")
        self.app_package_name = values.get("app_package_name")

    def __repr__(self) -> str:
        return _shown(self)


class ClientContext:
    """`custom` and `env` as the caller sent them (usually dicts), `client` a `ClientContextClient` or None."""

    __slots__ = ("client", "custom", "env")

    def __init__(self, values: "dict[str, Any]") -> None:
        self.custom = values.get("custom")
        self.env = values.get("env")
        client = values.get("client")
        self.client = ClientContextClient(client) if isinstance(client, dict) else None

    def __repr__(self) -> str:
        return _shown(self)


class CognitoIdentity:
    """`cognito_identity_id` and `cognito_identity_pool_id`, both None when the caller was no Cognito identity."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, values: "dict[str, Any]") -> None:
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")

    def __repr__(self) -> str:
        return _shown(self)


class LambdaContext:
    """The second argument of a handler: every attribute and method of the managed Python runtime's context.

    Attributes that come from the environment are None where it says nothing (`memory_limit_in_mb` is text, as
    there). `client_context` is None or a `ClientContext`, `identity` is never None. `xray_trace_id` is the trace
    header, or None; the managed Python runtime has it in the environment only, other languages have it here.
    """

    def __init__(self, invocation: Invocation, settings: "Settings", write_log: "Callable[[str], object]") -> None:
        """Raise `FunctionError` when the caller's client context or identity is not JSON."""
        self.aws_request_id = invocation.request_id
        self.invoked_function_arn = invocation.function_arn
        self.tenant_id = invocation.tenant_id
        self.xray_trace_id = invocation.trace_id
        self.function_name = settings.function_name
        self.function_version = settings.function_version
        self.memory_limit_in_mb = settings.memory_limit_in_mb
        self.log_group_name = settings.log_group_name
        self.log_stream_name = settings.log_stream_name
        self._deadline_ms = invocation.deadline_ms
        self._write_log = write_log
        self._w3c: dict[str, str] | None = None
        if invocation.client_context_json is None:
            self.client_context: ClientContext | None = None
        else:
            values = _parse(invocation.client_context_json, "Client Context")
            self._w3c = _w3c(values.pop("w3c", None)) if values else {}
            self.client_context = ClientContext(values) if values is not None else None
        if invocation.cognito_identity_json is not None:
            self.identity = CognitoIdentity(_parse(invocation.cognito_identity_json, "Cognito Identity") or {})

    def __getattr__(self, name: str) -> "Any":
        # Called for what was not set. Most callers have no identity, and most handlers do not look.
        if name == "identity":
            self.identity = CognitoIdentity({})
            return self.identity
        raise AttributeError(f"LambdaContext has no attribute {name!r}")

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends this invocation, by the wall clock; never negative."""
        return max(0, self._deadline_ms - time.time_ns() // 1_000_000)

    def log(self, message: object) -> None:
        """Write text to the function's log as it is: no newline added, no level, no request id."""
        self._write_log(str(message))

    def __lambda_after_response__(self, function: "Callable[[], object]") -> None:
        """`after_response` of this package, for frameworks that do not import it; call it inside the invocation."""
        from .lifecycle import after_response  # late: few invocations leave work for later

        after_response(function)

    def w3c(self) -> "dict[str, str]":
        """The W3C trace fields that the caller put into its client context: `traceparent`, `tracestate`, `baggage`."""
        return dict(self._w3c or {})

    def __repr__(self) -> str:
        names = (
            "aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
            "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id",
        )  # fmt: skip
        return f"LambdaContext([{','.join(f'{name}={getattr(self, name)}' for name in names)}])"


def _parse(header: str, name: str) -> "dict[str, Any] | None":
    """The object in a header, None for `null`. Raises `FunctionError`."""
    from . import marshal  # late: most callers send neither header

    try:
        # Header values arrive as Latin-1 text; JSON in them is UTF-8.
        values = marshal.loads(header.encode("latin-1"))
    except ValueError as error:
        raise FunctionError(protocol.CONTEXT_UNMARSHAL_ERROR, f"Unable to parse {name} JSON: {error}") from None
    if values is None:
        return None
    if not isinstance(values, dict):
        raise FunctionError(
            protocol.CONTEXT_UNMARSHAL_ERROR,
            f"Unable to parse {name} JSON: expected an object, found {header[:40]!r}",
        )
    return values


def _w3c(fields: object) -> "dict[str, str]":
    if not isinstance(fields, dict):
        return {}
    wanted = ("traceparent", "tracestate", "baggage")
    return {name: fields[name] for name in wanted if isinstance(fields.get(name), str)}


def _shown(value: "ClientContextClient | ClientContext | CognitoIdentity") -> str:
    return f"{type(value).__name__}([{','.join(f'{name}={getattr(value, name)}' for name in value.__slots__)}])"


TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost 4 ms of every cold start
    from collections.abc import Callable
    from typing import Any

    from .environ import Settings

    Hook = tuple[Callable[..., object], tuple[object, ...], dict[str, object]]
