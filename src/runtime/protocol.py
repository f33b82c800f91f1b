"""The Runtime API in one place: every path, header, status, limit and error type. Text and numbers only.

Both sides read from here: `runtime` is the client, `lambda_emulator` the platform. Nothing in this module
does anything; it knows no socket, no clock and no environment, and it imports nothing.

Facts are AWS's documentation of the custom runtime API, AWS's own emulator and recordings made against the
service (state of 2026). Where these disagree, the comment says which one is followed.
"""

# --- paths ------------------------------------------------------------------------------------------------

VERSION = "/2018-06-01"
NEXT = f"{VERSION}/runtime/invocation/next"
INIT_ERROR = f"{VERSION}/runtime/init/error"
RESTORE_NEXT = f"{VERSION}/runtime/restore/next"
RESTORE_ERROR = f"{VERSION}/runtime/restore/error"
INVOCATION = f"{VERSION}/runtime/invocation/"
"""Followed by the request id and one of the two suffixes below."""
RESPONSE_SUFFIX = "/response"
ERROR_SUFFIX = "/error"
PING = f"{VERSION}/ping"

EXTENSION_REGISTER = "/2020-01-01/extension/register"
EXTENSION_NEXT = "/2020-01-01/extension/event/next"

# --- headers of an event (platform to runtime), lower case as they are compared ------------------------------

REQUEST_ID = "lambda-runtime-aws-request-id"
DEADLINE_MS = "lambda-runtime-deadline-ms"
FUNCTION_ARN = "lambda-runtime-invoked-function-arn"
TRACE_ID = "lambda-runtime-trace-id"
CLIENT_CONTEXT = "lambda-runtime-client-context"
COGNITO_IDENTITY = "lambda-runtime-cognito-identity"
TENANT_ID = "lambda-runtime-aws-tenant-id"

# --- headers of an answer (runtime to platform) ----------------------------------------------------------------

INVOCATION_ID = "lambda-runtime-invocation-id"
"""Nonce of one attempt, since about July 2026: arrives with the event, is echoed with its answer, never kept."""
ERROR_TYPE = "lambda-runtime-function-error-type"
ERROR_BODY = "lambda-runtime-function-error-body"
XRAY_CAUSE = "lambda-runtime-function-xray-error-cause"
RESPONSE_MODE = "lambda-runtime-function-response-mode"
STREAMING = "streaming"
"""The only legal response mode; any other value, also `buffered`, ruins the invocation beyond repair."""
FEATURES = "lambda-runtime-features"
EXTENSION_NAME = "lambda-extension-name"
EXTENSION_IDENTIFIER = "lambda-extension-identifier"

# --- content types -------------------------------------------------------------------------------------------

JSON = "application/json"
OCTET_STREAM = "application/octet-stream"
BYTES_RESULT = "application/unknown"
"""What the managed Python runtime declares for a handler that returned bytes."""
ERROR_CAUSE_JSON = "application/vnd.aws.lambda.error.cause+json"
HTTP_INTEGRATION = "application/vnd.awslambda.http-integration-response"

# --- limits --------------------------------------------------------------------------------------------------

MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100
"""A buffered response of exactly this size is accepted, one byte more is refused with 413."""
MAX_REQUEST_BYTES = 6 * 1024 * 1024
"""A synchronous request, as the public Invoke API takes it: 100 bytes less than a response."""
MAX_ASYNC_REQUEST_BYTES = 1024 * 1024
"""An `Event` request (256 KiB before late 2025)."""
MAX_ERROR_BYTES = 1024 * 1024
"""An error document; managed instances refuse more, so everything stays below it."""
MAX_XRAY_CAUSE_BYTES = 64 * 1024
"""The platform crops a longer X-Ray cause; we crop it ourselves, where we know what matters."""
MAX_HEAD_BYTES = 1024 * 1024
"""Go's HTTP server, which the platform is built on, takes no more header bytes than this."""
MAX_EVENT_BYTES = 64 * 1024 * 1024
"""No event is that large (6 MiB and a little); a body beyond it is a broken platform, not an event."""
MAX_CLIENT_CONTEXT_BYTES = 3583
MAX_ENVIRONMENT_BYTES = 4096
LOG_TAIL_BYTES = 4096
MIN_TIMEOUT_S, MAX_TIMEOUT_S, DEFAULT_TIMEOUT_S = 1, 900, 3
MIN_MEMORY_MB, MAX_MEMORY_MB, DEFAULT_MEMORY_MB = 128, 10_240, 128
INIT_TIMEOUT_S = 10
"""Initialisation on demand; what takes longer is killed and tried again inside the first invocation."""

# --- statuses ------------------------------------------------------------------------------------------------

OK = 200
ACCEPTED = 202
BAD_REQUEST = 400
FORBIDDEN = 403
GONE = 410
TOO_LARGE = 413
SERVER_ERROR = 500
LOSES_THE_INVOCATION = frozenset({BAD_REQUEST, GONE, TOO_LARGE})
"""A refusal with one of these concerns this invocation only; every other refusal ends the process."""

# --- refusals: status, errorType and errorMessage, exactly as the platform words them ------------------------

INVALID_REQUEST_ID = (BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
INVALID_RESPONSE_MODE = (BAD_REQUEST, "InvalidFunctionResponseMode", "Invalid function response mode")
TRUNCATED_REQUEST = (BAD_REQUEST, "TruncatedHTTPRequest", "HTTP request detected as truncated")
REQUEST_TOO_LARGE = (
    TOO_LARGE,
    "RequestEntityTooLarge",
    f"Exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).",
)
INVOKE_TIMEOUT = (GONE, "InvokeTimeout", "Invoke timeout")
INTERNAL_ERROR = (SERVER_ERROR, "InternalServerError", "Internal Server Error")
INVALID_TRANSITION = "InvalidStateTransition"
"""The errorType of a 403; its message names both states and is made where the states are known."""

# --- error types ---------------------------------------------------------------------------------------------

ERROR_TYPE_PATTERN = r"(Runtime|Function)\.[A-Z][a-zA-Z]+"
"""What the platform reads out of the error-type header (unanchored); all else becomes one of the unknowns."""
FUNCTION_UNKNOWN = "Function.Unknown"
RUNTIME_UNKNOWN = "Runtime.Unknown"

MALFORMED_HANDLER_NAME = "Runtime.MalformedHandlerName"
BUILTIN_MODULE_CONFLICT = "Runtime.BuiltInModuleConflict"
IMPORT_MODULE_ERROR = "Runtime.ImportModuleError"
USER_CODE_SYNTAX_ERROR = "Runtime.UserCodeSyntaxError"
HANDLER_NOT_FOUND = "Runtime.HandlerNotFound"
UNMARSHAL_ERROR = "Runtime.UnmarshalError"
MARSHAL_ERROR = "Runtime.MarshalError"
CONTEXT_UNMARSHAL_ERROR = "Runtime.LambdaContextUnmarshalError"
CLIENT_ERROR = "Runtime.LambdaRuntimeClientError"
RESPONSE_TOO_LARGE = "Function.ResponseSizeTooLarge"

EXIT_ERROR = "Runtime.ExitError"
TRUNCATED_RESPONSE = "Runtime.TruncatedResponse"
INVALID_RESPONSE_MODE_HEADER = "Runtime.InvalidResponseModeHeader"
INVALID_ENTRYPOINT = "Runtime.InvalidEntrypoint"
OUT_OF_MEMORY = "Runtime.OutOfMemory"
SANDBOX_TIMEDOUT = "Sandbox.Timedout"

# --- environment of a function -------------------------------------------------------------------------------

ENV_API = "AWS_LAMBDA_RUNTIME_API"
ENV_HANDLER = "_HANDLER"
ENV_TASK_ROOT = "LAMBDA_TASK_ROOT"
ENV_TRACE_ID = "_X_AMZN_TRACE_ID"
ENV_TELEMETRY_FD = "_LAMBDA_TELEMETRY_LOG_FD"
ENV_LOG_SOCKET = "_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET"
ENV_MAX_CONCURRENCY = "AWS_LAMBDA_MAX_CONCURRENCY"
ENV_LOG_FORMAT = "AWS_LAMBDA_LOG_FORMAT"
ENV_LOG_LEVEL = "AWS_LAMBDA_LOG_LEVEL"
ENV_FUNCTION_NAME = "AWS_LAMBDA_FUNCTION_NAME"
ENV_FUNCTION_VERSION = "AWS_LAMBDA_FUNCTION_VERSION"
ENV_MEMORY_MB = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
ENV_LOG_GROUP = "AWS_LAMBDA_LOG_GROUP_NAME"
ENV_LOG_STREAM = "AWS_LAMBDA_LOG_STREAM_NAME"
ENV_INITIALIZATION_TYPE = "AWS_LAMBDA_INITIALIZATION_TYPE"

# --- used by the emulator alone: streamed responses, extensions, telemetry --------------------------------------

MAX_STREAM_BYTES = 200 * 1024 * 1024
"""A streamed response (20 MB before July 2025)."""
RESTORE_TIMEOUT_S = 10
"""Restore from a snapshot and after-restore hooks together."""
LONG_INIT_TIMEOUT_S = 130
"""Initialisation for a snapshot or of a managed instance, unless the function's timeout is longer."""
RESTORE_HOOK_TIMEOUT = "Runtime.RestoreHookUserTimeout"
EXTENSION_INIT_ERROR = "/2020-01-01/extension/init/error"
EXTENSION_EXIT_ERROR = "/2020-01-01/extension/exit/error"
EXTENSION_EVENT_IDENTIFIER = "lambda-extension-event-identifier"
EXTENSION_FEATURES = "lambda-extension-accept-feature"
EXTENSION_ERROR_TYPE = "lambda-extension-function-error-type"
TELEMETRY = "/2022-07-01/telemetry"
LOGS = "/2020-08-15/logs"
MAX_EXTENSIONS = 10
