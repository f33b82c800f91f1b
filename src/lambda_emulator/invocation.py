"""An invocation on its way to the function: what the caller sent, and one attempt at delivering it. Values only."""

from dataclasses import dataclass

from runtime import protocol

__all__ = ["Delivery", "Invocation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What the caller sent, checked; the same for every attempt."""

    request_id: str
    payload: bytes
    function_arn: str
    """With the qualifier, if the caller used one."""
    content_type: str = protocol.JSON
    trace_header: str | None = None
    client_context: str | None = None
    """JSON text, no longer base64."""
    cognito_identity: str | None = None
    """JSON text."""
    tenant_id: str | None = None
    streamed: bool = False
    """The caller reads the response as it is produced; nothing tells the function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt: the invocation, its deadline and the nonce that the runtime has to echo."""

    invocation: Invocation
    nonce: str
    deadline_ms: int
    """Milliseconds since the epoch."""

    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """The headers of the event. What is empty is left out."""
        invocation = self.invocation
        pairs = (
            (protocol.REQUEST_ID, invocation.request_id),
            (protocol.DEADLINE_MS, str(self.deadline_ms)),
            (protocol.FUNCTION_ARN, invocation.function_arn),
            (protocol.TRACE_ID, invocation.trace_header),
            (protocol.CLIENT_CONTEXT, invocation.client_context),
            (protocol.COGNITO_IDENTITY, invocation.cognito_identity),
            (protocol.TENANT_ID, invocation.tenant_id),
            (protocol.INVOCATION_ID, self.nonce),
            ("content-type", invocation.content_type),
        )
        return tuple((_canonical(name), _header_value(value)) for name, value in pairs if value)


def _canonical(name: str) -> str:
    """The spelling of Go's server, so that a client that compares letters exactly is found out.

    >>> _canonical("lambda-runtime-aws-request-id")
    'Lambda-Runtime-Aws-Request-Id'
    """
    return "-".join(part.capitalize() for part in name.split("-"))


def _header_value(text: str) -> bytes:
    """UTF-8, with line ends made blanks as Go does: JSON keeps its meaning."""
    return text.replace("\r", " ").replace("\n", " ").strip().encode("utf-8", "surrogatepass")
