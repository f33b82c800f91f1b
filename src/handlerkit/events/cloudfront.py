"""CloudFront's Lambda@Edge: one request, or a response with its request, on its way through the cache.

Wire names are those of the event; what the wire nests under `cf` stands in the record itself. Headers are looked up
like everywhere; the form that an answer has to use, lists of `{"key", "value"}`, is in `raw`. Samples omit query, event
type and request id. The origin is there in origin events only.
"""

from __future__ import annotations

from .descriptor import Field, KeptField
from .encoded import from_base64
from .fields import boolean, maybe_integer, maybe_text, text, texts
from .http_fields import cookies, listed_headers, query
from .nested import maybe_view, view, views
from .view import View

__all__ = [
    "CloudFrontBody",
    "CloudFrontConfig",
    "CloudFrontCustomOrigin",
    "CloudFrontEvent",
    "CloudFrontOrigin",
    "CloudFrontRecord",
    "CloudFrontRequest",
    "CloudFrontResponse",
    "CloudFrontS3Origin",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from handlerkit.answers.edge import EdgeRequest, EdgeResponse


class CloudFrontConfig(View):
    """Which distribution, and at which of the four moments: `viewer-request` and so on."""

    distribution_domain_name = text("distributionDomainName")
    distribution_id = text("distributionId")
    event_type = maybe_text("eventType")
    request_id = text("requestId")


class _DataField(KeptField[bytes]):
    __slots__ = ()

    def read(self, view: View) -> bytes:
        data = view.raw.get(self.wire)
        if data is None:
            return b""
        if not isinstance(data, str):
            raise self.refusal(data, ValueError("not text"))
        if view.raw.get("encoding") == "text":
            return data.encode("utf-8", "surrogatepass")
        try:
            return from_base64(data)
        except ValueError as error:
            raise self.refusal(data, error) from None


def _data(wire: str) -> Field[bytes]:
    return _DataField(wire, bytes, b"")


class CloudFrontBody(View):
    """A request's body, for functions that asked for it; cut off at 40 KB (viewer) or 1 MB (origin)."""

    data = _data("data")
    input_truncated = boolean("inputTruncated")
    action = text("action")
    encoding = text("encoding")


class CloudFrontCustomOrigin(View):
    """An origin that is any web server."""

    domain_name = text("domainName")
    path = text("path")
    port = maybe_integer("port")
    protocol = text("protocol")
    keepalive_timeout = maybe_integer("keepaliveTimeout")
    read_timeout = maybe_integer("readTimeout")
    response_completion_timeout = maybe_integer("responseCompletionTimeout")
    ssl_protocols = texts("sslProtocols")
    custom_headers = listed_headers("customHeaders")


class CloudFrontS3Origin(View):
    """An origin that is a bucket."""

    domain_name = text("domainName")
    path = text("path")
    region = text("region")
    auth_method = text("authMethod")
    response_completion_timeout = maybe_integer("responseCompletionTimeout")
    custom_headers = listed_headers("customHeaders")


class CloudFrontOrigin(View):
    """One of the two."""

    custom = maybe_view("custom", CloudFrontCustomOrigin)
    s3 = maybe_view("s3", CloudFrontS3Origin)


class CloudFrontRequest(View):
    """The request; `uri` has no query. Edit a copy of `raw` and return it to let it pass."""

    method = text("method")
    uri = text("uri")
    querystring = text("querystring")
    query = query(text="querystring")
    headers = listed_headers()
    cookies = cookies()
    client_ip = text("clientIp")
    body = maybe_view("body", CloudFrontBody)
    origin = maybe_view("origin", CloudFrontOrigin)


class CloudFrontResponse(View):
    """The response; `status` is text on the wire."""

    status = maybe_integer("status")
    status_description = text("statusDescription")
    headers = listed_headers()


class CloudFrontRecord(View):
    """One moment of one request."""

    config = view("config", CloudFrontConfig, inside="cf")
    request = view("request", CloudFrontRequest, inside="cf")
    response = maybe_view("response", CloudFrontResponse, inside="cf")


class CloudFrontEvent(View, kinds=("cloudfront",)):
    """What the function gets: always one record, whose parts stand here, too."""

    answered_by = "edge"
    records = views("Records", CloudFrontRecord)

    @property
    def event_type(self) -> str:
        """`viewer-request`, `origin-request`, `origin-response` or `viewer-response`; "" where it does not say."""
        return self.config.event_type or ""

    @property
    def config(self) -> CloudFrontConfig:
        """Which distribution, and at which moment."""
        return self._first.config

    @property
    def request(self) -> CloudFrontRequest:
        """The request."""
        return self._first.request

    @property
    def response(self) -> CloudFrontResponse | None:
        """The response, in response events."""
        return self._first.response

    def pass_on(
        self,
        *,
        uri: str | None = None,
        querystring: str | None = None,
        method: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        origin: Mapping[str, Any] | None = None,
    ) -> EdgeRequest:
        """The request on its way on, as it came or changed; a header of None is left out."""
        from handlerkit.answers.edge import changed_request  # late: it is needed for the answer

        changes = {"uri": uri, "querystring": querystring, "method": method, "origin": origin}
        return changed_request(self.request.raw, headers or {}, changes)

    def respond(
        self,
        status: int,
        body: str | bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Iterable[str] = (),
    ) -> EdgeResponse:
        """A response made here, in request events: the origin is not asked."""
        from handlerkit.answers.edge import made_response

        return made_response(status, body, headers or {}, cookies)

    def pass_back(
        self,
        *,
        status: int | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: str | bytes | None = None,
    ) -> EdgeResponse:
        """The response on its way back, as it came or changed; a header of None is left out. In response events."""
        from handlerkit.answers.answer import AnswerError
        from handlerkit.answers.edge import changed_response

        if self.response is None:
            raise AnswerError("there is no response yet at this moment: event.respond(...) makes one")
        return changed_response(self.response.raw, headers or {}, status, body)

    @property
    def _first(self) -> CloudFrontRecord:
        records = self.records
        nothing: dict[str, Any] = {}
        return records[0] if records else CloudFrontRecord(nothing)

    def __iter__(self) -> Iterator[CloudFrontRecord]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)
