"""API Gateway HTTP APIs (payload format 2.0). Generic in the body; the fields are described in `gateway_v2`.

An HTTP API that was told to use payload format 1.0 sends what a REST API sends: see `api_gateway`.
"""

from __future__ import annotations

from .gateway_v2 import GatewayV2Event
from .generics import Generic
from .http_fields import AsItCame, BodyT

__all__ = ["HttpApiEvent"]


class HttpApiEvent(GatewayV2Event[BodyT], Generic[BodyT], kinds=("apigw_http_v2",), payloads=(AsItCame,)):
    """A request; `body` is text or bytes, or the type named: `HttpApiEvent[Order]`."""
