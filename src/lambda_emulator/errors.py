"""What goes wrong before a function runs. One root; each error carries what the Invoke API would put on the wire.

A function that fails is not an error here: that is an `InvocationResult` with `function_error` set. These are
the caller's mistakes (a wrong name, a payload that is no JSON, too many bytes), the configuration's, and the use
of a service that is closed.
"""
# ruff: noqa: N818 (the names are what the service calls these, without its suffix)

__all__ = [
    "InvalidConfiguration",
    "InvalidParameterValue",
    "InvalidPrelude",
    "InvalidRequestContent",
    "InvokeError",
    "LocalLambdaError",
    "NotQuiet",
    "PreconditionFailed",
    "ProvisionedConcurrencyConfigNotFound",
    "RequestTooLarge",
    "ResourceConflict",
    "ResourceNotFound",
    "ServiceClosed",
    "TooManyRequests",
    "UnsupportedMediaType",
    "ValidationFailed",
]


class LocalLambdaError(Exception):
    """Root of everything the emulator raises on purpose."""


class InvalidConfiguration(LocalLambdaError, ValueError):
    """A function cannot be configured like this; the message says what, where, and what to do."""


class InvalidPrelude(LocalLambdaError, ValueError):
    """A streamed HTTP response does not begin with status, headers and cookies as it has to."""


class NotQuiet(LocalLambdaError, TimeoutError):
    """A manual clock did not come to rest; the message names what is still in flight or due."""


class ServiceClosed(LocalLambdaError, RuntimeError):
    """The `LocalLambda` was closed before or while the call was running."""


class InvokeError(LocalLambdaError):
    """A refusal of the Invoke API. Class attributes give the wire form; the message is the instance's."""

    code = "ServiceException"
    status = 500
    type = "Service"
    message_key = "message"
    """The service spells this key in two ways; the SDKs accept both, other clients may not."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def body(self) -> dict[str, str]:
        """The JSON object that the Invoke API sends."""
        return {"Type": self.type, self.message_key: self.message}


class ResourceNotFound(InvokeError):
    """No function, version or alias of that name: 404."""

    code, status, type, message_key = "ResourceNotFoundException", 404, "User", "Message"


class InvalidRequestContent(InvokeError):
    """The payload or the client context is not JSON: 400."""

    code, status, type = "InvalidRequestContentException", 400, "User"


class InvalidParameterValue(InvokeError):
    """Parameters that contradict one another, or a value outside its set: 400."""

    code, status, type = "InvalidParameterValueException", 400, "User"


class ValidationFailed(InvokeError):
    """A parameter that does not match its documented pattern: 400."""

    code, status, type = "ValidationException", 400, "User"

    def body(self) -> dict[str, str]:
        """This family has no `Type`: it is answered before the service proper sees the request."""
        return {"message": self.message}


class ResourceConflict(InvokeError):
    """It is there already, or two settings exclude each other: 409."""

    code, status, type = "ResourceConflictException", 409, "User"


class PreconditionFailed(InvokeError):
    """A revision that is not the latest: 412."""

    code, status, type, message_key = "PreconditionFailedException", 412, "User", "Message"


class ProvisionedConcurrencyConfigNotFound(InvokeError):
    """There is no provisioned concurrency for this version or alias: 404."""

    code, status, type = "ProvisionedConcurrencyConfigNotFoundException", 404, "User"


class RequestTooLarge(InvokeError):
    """A payload over the limit of its invocation type: 413.

    The code is the one on the wire; documentation and service model say `RequestTooLargeException`.
    """

    code, status, type, message_key = "RequestEntityTooLargeException", 413, "User", "Message"


class UnsupportedMediaType(InvokeError):
    """A request body that is declared as something else than JSON: 415."""

    code, status, type = "UnsupportedMediaTypeException", 415, "User"


class TooManyRequests(InvokeError):
    """No environment may be started for this call now: 429."""

    code, status, type = "TooManyRequestsException", 429, "User"

    def __init__(self, message: str = "Rate Exceeded.", *, reason: str = "ConcurrentInvocationLimitExceeded") -> None:
        super().__init__(message)
        self.reason = reason

    def body(self) -> dict[str, str]:
        """As every refusal, with the reason that the SDKs show."""
        return {"Reason": self.reason, **super().body()}
