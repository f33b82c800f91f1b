"""AppSync GraphQL: resolvers, also in batches and of Amplify's directive, and the authorizer. Generic in the arguments.

Wire names are those of the event. Amplify's `typeName` and `fieldName` are those of `info`, with what they mean. A
resolver with a batch size gets a list: annotate with `list[AppSyncResolverEvent[Args]]`. Where a mapping template
builds the payload it may be anything; what is recognisable of it is read.
"""

from __future__ import annotations

from .appsync_request import AppSyncIdentity, AppSyncPrevious, AppSyncRequest, lenient_view, maybe_appsync_view
from .fields import mapping, maybe_text, text, texts
from .generics import Any, Generic, TypeVar
from .http_fields import lenient_headers
from .nested import view
from .payload import Payload, object_payload
from .view import View

__all__ = [
    "AppSyncAuthorizerContext",
    "AppSyncAuthorizerEvent",
    "AppSyncInfo",
    "AppSyncResolverEvent",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handlerkit.answers.appsync import FieldDecision

ArgumentsT = TypeVar("ArgumentsT", default=dict[str, Any])
SourceT = TypeVar("SourceT", default=dict[str, Any])


class AppSyncInfo(View):
    """What is being resolved, and what the client wants of it."""

    field_name = text("fieldName")
    parent_type_name = text("parentTypeName")
    variables = mapping("variables")
    selection_set_list = texts("selectionSetList")
    selection_set_graphql = text("selectionSetGraphQL")


class AppSyncResolverEvent(
    View, Generic[ArgumentsT, SourceT], kinds=("appsync.resolver", "appsync.amplify"), payloads=(dict, dict)
):
    """A field to resolve; arguments and source are dicts, or the types named: `AppSyncResolverEvent[Args, Parent]`."""

    arguments: Payload[ArgumentsT] = object_payload("arguments")
    source: Payload[SourceT | None] = object_payload("source", parameter=1, optional=True)
    field_name = text("fieldName", inside="info")
    parent_type_name = text("parentTypeName", "typeName", inside="info")
    identity = maybe_appsync_view("identity", AppSyncIdentity)
    request = lenient_view("request", AppSyncRequest)
    prev = maybe_appsync_view("prev", AppSyncPrevious)
    info = view("info", AppSyncInfo)
    stash = mapping("stash")

    def failed(self, message: str, error_type: str = "Error") -> dict[str, Any]:
        """This item's result among the others of a batch; outside of one, raise."""
        return {"data": None, "errorMessage": message, "errorType": error_type}


class AppSyncAuthorizerContext(View):
    """The request in question: a GraphQL document, or an operation on a channel."""

    api_id = text("apiId")
    account_id = text("accountId")
    request_id = text("requestId")
    query_string = text("queryString", "queryDocument")
    operation_name = maybe_text("operationName")
    variables = mapping("variables")
    operation = maybe_text("operation")
    channel = maybe_text("channel")
    channel_namespace_name = maybe_text("channelNamespaceName")


class AppSyncAuthorizerEvent(View, kinds=("appsync.authorizer",)):
    """The question whether a request may pass."""

    answered_by = "appsync"
    authorization_token = text("authorizationToken", secret=True)
    request_context = view("requestContext", AppSyncAuthorizerContext)
    request_headers = lenient_headers("requestHeaders")

    def allow(
        self,
        resolver_context: Mapping[str, Any] | None = None,
        *,
        denied_fields: Iterable[str] = (),
        ttl_s: int | None = None,
    ) -> FieldDecision:
        """Let the request pass but for these fields (`"Query.orders"`, or an ARN), kept for `ttl_s` seconds."""
        from handlerkit.answers.appsync import FieldDecision  # late: it is needed for the answer

        decision = FieldDecision(isAuthorized=True)
        if resolver_context is not None:
            decision["resolverContext"] = dict(resolver_context)
        if denied := list(denied_fields):
            decision["deniedFields"] = denied
        if ttl_s is not None:
            decision["ttlOverride"] = ttl_s
        return decision

    def deny(self) -> FieldDecision:
        """Refuse the request: 401."""
        from handlerkit.answers.appsync import FieldDecision

        return FieldDecision(isAuthorized=False)
