"""Application Load Balancers. Generic in the body.

Wire names are those of the event, but for what all HTTP fronts share: `httpMethod` is `method`. A target group sends
single values or, switched, lists; `headers` and `query` read both, and the answer has to be in the same mode
(`is_multi_value`). The query comes undecoded and is decoded here. Health checks are requests, too.
"""

from __future__ import annotations

from .fields import boolean, header_map, text
from .generics import Generic
from .http_fields import AsItCame, BodyT, cookies, http_body, nearest_ip, query
from .nested import view
from .payload import Payload
from .view import View

__all__ = ["AlbContext", "AlbEvent"]


class AlbContext(View):
    """Which target group the function was reached through."""

    target_group_arn = text("targetGroupArn", inside="elb")


class AlbEvent(View, Generic[BodyT], kinds=("alb",), payloads=(AsItCame,)):
    """A request; `body` is text or bytes, or the type named: `AlbEvent[Order]`."""

    body: Payload[BodyT] = http_body()
    is_base64_encoded = boolean("isBase64Encoded")
    method = text("httpMethod")
    path = text("path")
    headers = header_map()
    query = query("queryStringParameters", "multiValueQueryStringParameters", is_encoded=True)
    cookies = cookies()
    request_context = view("requestContext", AlbContext)

    @property
    def is_multi_value(self) -> bool:
        """Whether the answer has to give lists, in `multiValueHeaders`."""
        return "multiValueHeaders" in self.raw

    @property
    def is_health_check(self) -> bool:
        """Whether the balancer itself asks, to see if the target lives."""
        return self.headers.get("user-agent", "").startswith("ELB-HealthChecker/")

    @property
    def source_ip(self) -> str:
        """The address that connected: the last one that `X-Forwarded-For` names, perhaps with a port."""
        return nearest_ip(self.headers)
