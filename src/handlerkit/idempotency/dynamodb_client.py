"""DynamoDB's API in one call: `call("PutItem", {...})`, by our own signed requests or by a client of boto3's.

Both raise `ServiceError` for what the service refuses and `UnreachableError` for what came to no answer. Requests are
sent again after throttling, server errors and lost answers: all that the store sends may be sent twice.
"""

from __future__ import annotations

import os
import time

from .credentials import CredentialsError, CredentialSource
from .http_post import Endpoint, HttpConnections, HttpError
from .signing import signed_headers

__all__ = ["BotoClient", "LeanClient", "ServiceError", "UnreachableError"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    class Client(Protocol):
        """What the store needs of either."""

        def call(self, action: str, parameters: dict[str, Any], /) -> dict[str, Any]:
            """The answer's JSON. Raises `ServiceError`, `UnreachableError`."""


ATTEMPTS = 4
# DynamoDB's guide names 50 ms, doubled at each attempt, with jitter.
FIRST_PAUSE_S = 0.05
AGAIN = {
    "InternalServerError",
    "ItemCollectionSizeLimitExceededException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
}


class ServiceError(Exception):
    """What the service refused: nothing happened. `detail` is the whole of its answer."""

    def __init__(self, code: str, message: str, detail: dict[str, Any]) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


class UnreachableError(Exception):
    """No answer that can be relied on: what was asked for may have happened."""


class LeanClient:
    """Our own client: 13 ms of imports, of which TLS is most."""

    def __init__(
        self,
        *,
        region: str | None = None,
        endpoint_url: str | None = None,
        timeout_s: float = 3.0,
        environ: Mapping[str, str] = os.environ,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._environ = environ
        self._given_region = region
        self._given_url = endpoint_url
        self._timeout_s = timeout_s
        self._pause = pause
        self._credentials = CredentialSource(environ)
        self._place: tuple[str, Endpoint, HttpConnections] | None = None

    def call(self, action: str, parameters: dict[str, Any], /) -> dict[str, Any]:
        """See `Client`."""
        from json import dumps

        body = dumps(parameters, separators=(",", ":")).encode()
        for attempt in range(ATTEMPTS - 1):
            try:
                return self._once(action, body)
            except UnreachableError:
                pass
            except ServiceError as error:
                if error.code not in AGAIN and not error.code.startswith("5"):
                    raise
            self._pause(FIRST_PAUSE_S * 2**attempt * (0.5 + os.urandom(1)[0] / 512))
        return self._once(action, body)

    def close(self) -> None:
        """Close the connections; the next call opens others."""
        if self._place is not None:
            self._place[2].close()

    def _once(self, action: str, body: bytes) -> dict[str, Any]:
        region, endpoint, connections = self._place or self._found_place()
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "host": endpoint.authority,
            "x-amz-target": f"DynamoDB_20120810.{action}",
        }
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        try:
            credentials = self._credentials.current()
        except CredentialsError as error:
            raise ServiceError("NoCredentials", str(error), {}) from error
        signed = signed_headers(headers, body, credentials, region, "dynamodb", at)
        del signed["host"]  # which every request has
        try:
            answer = connections.request("POST", signed, body)
        except HttpError as error:
            raise UnreachableError(str(error)) from error
        return _understood(answer.status, answer.body)

    def _found_place(self) -> tuple[str, Endpoint, HttpConnections]:
        environ = self._environ
        region = self._given_region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        if not region:
            raise ServiceError("NoRegion", "no AWS region: neither region= nor AWS_REGION", {})
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        named = environ.get("AWS_ENDPOINT_URL_DYNAMODB") or environ.get("AWS_ENDPOINT_URL")
        endpoint = Endpoint(self._given_url or named or f"https://dynamodb.{region}.{suffix}")
        self._place = region, endpoint, HttpConnections(endpoint, self._timeout_s)
        return self._place


class BotoClient:
    """A client of boto3's (`boto3.client("dynamodb")`), which retries by its own rules."""

    def __init__(self, client: Any) -> None:
        for method in METHODS.values():
            if not callable(getattr(client, method, None)):
                raise TypeError(f"{client!r} is no DynamoDB client: boto3.client('dynamodb'), not a resource or table")
        self._client = client

    def call(self, action: str, parameters: dict[str, Any], /) -> dict[str, Any]:
        """See `Client`."""
        try:
            answer: dict[str, Any] = getattr(self._client, METHODS[action])(**parameters)
        except Exception as error:
            response = getattr(error, "response", None)
            name = type(error).__name__
            if isinstance(response, dict):
                said = response.get("Error", {})
                raise ServiceError(str(said.get("Code", "")), str(said.get("Message", "")), response) from error
            if name == "ParamValidationError":  # a version that does not know a parameter yet
                raise ServiceError("ValidationException", str(error), {}) from error
            if name in ("NoCredentialsError", "NoRegionError", "PartialCredentialsError"):
                raise ServiceError(name.removesuffix("Error"), str(error), {}) from error
            if type(error).__module__.partition(".")[0] in ("botocore", "urllib3") or isinstance(error, OSError):
                raise UnreachableError(f"{name}: {error}") from error
            raise
        return answer


METHODS = {
    "DeleteItem": "delete_item",
    "GetItem": "get_item",
    "PutItem": "put_item",
    "TransactWriteItems": "transact_write_items",
    "UpdateItem": "update_item",
}


def _understood(status: int, body: bytes) -> dict[str, Any]:
    from json import loads

    try:
        document = loads(body) if body else {}
    except ValueError as error:
        if status == 200:
            raise UnreachableError("the answer is no JSON") from error
        document = {}
    if status == 200 and isinstance(document, dict):
        return document
    if not isinstance(document, dict):
        document = {}
    code = str(document.get("__type") or status).rpartition("#")[2]
    message = str(document.get("message") or document.get("Message") or "")
    if status >= 500 and code not in AGAIN:
        code = str(status)
    raise ServiceError(code, message, document)
