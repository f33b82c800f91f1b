"""Lambda function URLs (payload format 2.0). Generic in the body; the fields are described in `gateway_v2`.

Route and stage are `$default`; parameters of path and stage there are none. `account_id` is `anonymous` unless the URL
asks for signed requests, whose caller is `request_context.authorizer.iam`.
"""

from __future__ import annotations

from .gateway_v2 import GatewayV2Event
from .generics import Generic
from .http_fields import AsItCame, BodyT

__all__ = ["FunctionUrlEvent"]


class FunctionUrlEvent(GatewayV2Event[BodyT], Generic[BodyT], kinds=("function_url",), payloads=(AsItCame,)):
    """A request; `body` is text or bytes, or the type named: `FunctionUrlEvent[Order]`."""
