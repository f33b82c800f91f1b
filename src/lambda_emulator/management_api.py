"""The part of Lambda's API that changes how functions are used, over HTTP: documents in, documents out; decisions are
the control plane's.

Versions, aliases, reserved and provisioned concurrency, asynchronous settings. The functions themselves are
`function_api`'s.
"""

from typing import Any

from lambda_emulator.control_plane import ControlPlane
from lambda_emulator.dispatcher import Dispatcher
from lambda_emulator.errors import InvalidRequestContent, ResourceNotFound
from lambda_emulator.event_invoke_config import EventInvokeConfig
from lambda_emulator.function_name import FunctionName
from lambda_emulator.http_message import Request
from lambda_emulator.management_documents import (
    alias_document,
    event_document,
    provisioned_document,
    version_document,
)
from lambda_emulator.request_document import Answer, Handler, document_of, required_text, text_of

__all__ = ["ManagementApi"]

_FUNCTION = "/2015-03-31/functions/{name}"
_ALIASES = f"{_FUNCTION}/aliases"
_CONCURRENCY = "/2017-10-31/functions/{name}/concurrency"
_EVENTS = "/2019-09-25/functions/{name}/event-invoke-config"
_PROVISIONED = "/2019-09-30/functions/{name}/provisioned-concurrency"
_CODE_BYTES = {"TotalCodeSize": 80_530_636_800, "CodeSizeUnzipped": 262_144_000, "CodeSizeZipped": 52_428_800}


class ManagementApi:
    """Handlers of its routes; raises `InvokeError` for what is refused."""

    def __init__(self, dispatcher: Dispatcher, control: ControlPlane) -> None:
        self._dispatcher = dispatcher
        self._control = control

    def table(self) -> tuple[tuple[str, str, Handler], ...]:
        """Method, path and handler of each operation."""
        return (
            ("GET", "/2016-08-19/account-settings", self._account_settings),
            ("GET", "/2016-08-19/account-settings/", self._account_settings),
            ("POST", f"{_FUNCTION}/versions", self._publish_version),
            ("GET", f"{_FUNCTION}/versions", self._list_versions),
            ("POST", _ALIASES, self._create_alias),
            ("GET", _ALIASES, self._list_aliases),
            ("GET", f"{_ALIASES}/{{alias}}", self._get_alias),
            ("PUT", f"{_ALIASES}/{{alias}}", self._update_alias),
            ("DELETE", f"{_ALIASES}/{{alias}}", self._delete_alias),
            ("PUT", _CONCURRENCY, self._put_concurrency),
            ("DELETE", _CONCURRENCY, self._delete_concurrency),
            ("GET", "/2019-09-30/functions/{name}/concurrency", self._get_concurrency),
            ("PUT", _EVENTS, self._put_event_config),
            ("POST", _EVENTS, self._update_event_config),
            ("GET", _EVENTS, self._get_event_config),
            ("DELETE", _EVENTS, self._delete_event_config),
            ("GET", f"{_EVENTS}/list", self._list_event_configs),
            ("PUT", _PROVISIONED, self._put_provisioned),
            ("GET", _PROVISIONED, self._get_provisioned),
            ("DELETE", _PROVISIONED, self._delete_provisioned),
        )

    async def _account_settings(self, _request: Request) -> Answer:
        limits, count = self._dispatcher.limits, len(list(self._dispatcher.functions))
        return 200, {
            "AccountLimit": {
                **_CODE_BYTES,
                "ConcurrentExecutions": limits.account,
                "UnreservedConcurrentExecutions": limits.unreserved,
            },
            "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": count},
        }

    async def _publish_version(self, request: Request) -> Answer:
        document = document_of(request)
        version = await self._control.publish_version(
            request.captures["name"],
            description=text_of(document, "Description"),
            expected_code_sha256=text_of(document, "CodeSha256"),
        )
        return 201, version_document(version)

    async def _list_versions(self, request: Request) -> Answer:
        function = self._control.function(request.captures["name"])
        versions = [version_document(each) for each in (function.latest, *function.versions.values())]
        return 200, {"Versions": versions}

    async def _create_alias(self, request: Request) -> Answer:
        document = document_of(request)
        name = request.captures["name"]
        alias = self._control.create_alias(
            name,
            required_text(document, "Name"),
            required_text(document, "FunctionVersion"),
            description=text_of(document, "Description") or "",
            weights=_weights(document),
        )
        return 201, alias_document(self._control.function(name), alias)

    async def _list_aliases(self, request: Request) -> Answer:
        function = self._control.function(request.captures["name"])
        wanted = request.query_value("FunctionVersion")
        aliases = [each for each in function.aliases.values() if wanted in (None, each.function_version)]
        return 200, {"Aliases": [alias_document(function, each) for each in aliases]}

    async def _get_alias(self, request: Request) -> Answer:
        name = request.captures["name"]
        return 200, alias_document(
            self._control.function(name), self._control.get_alias(name, request.captures["alias"])
        )

    async def _update_alias(self, request: Request) -> Answer:
        document = document_of(request)
        name = request.captures["name"]
        alias = self._control.update_alias(
            name,
            request.captures["alias"],
            version=text_of(document, "FunctionVersion"),
            description=text_of(document, "Description"),
            weights=_weights(document),
            revision_id=text_of(document, "RevisionId"),
        )
        return 200, alias_document(self._control.function(name), alias)

    async def _delete_alias(self, request: Request) -> Answer:
        self._control.delete_alias(request.captures["name"], request.captures["alias"])
        return 204, None

    async def _put_concurrency(self, request: Request) -> Answer:
        reserved: Any = document_of(request).get("ReservedConcurrentExecutions")  # checked where it is used
        return 200, {
            "ReservedConcurrentExecutions": self._control.put_function_concurrency(request.captures["name"], reserved)
        }

    async def _get_concurrency(self, request: Request) -> Answer:
        reserved = self._control.get_function_concurrency(request.captures["name"])
        return 200, {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    async def _delete_concurrency(self, request: Request) -> Answer:
        self._control.delete_function_concurrency(request.captures["name"])
        return 204, None

    async def _put_event_config(self, request: Request) -> Answer:
        return self._change_event_config(request, merge=False)

    async def _update_event_config(self, request: Request) -> Answer:
        return self._change_event_config(request, merge=True)

    def _change_event_config(self, request: Request, *, merge: bool) -> Answer:
        document = document_of(request)
        destinations = document.get("DestinationConfig") or {}
        config = EventInvokeConfig(
            maximum_retry_attempts=document.get("MaximumRetryAttempts"),
            maximum_event_age_s=document.get("MaximumEventAgeInSeconds"),
            on_success=_destination(destinations, "OnSuccess"),
            on_failure=_destination(destinations, "OnFailure"),
        )
        name, qualifier = request.captures["name"], request.query_value("Qualifier")
        made = self._control.put_event_invoke_config(name, config, qualifier=qualifier, merge=merge)
        return 200, self._event_config_document(request, made)

    async def _get_event_config(self, request: Request) -> Answer:
        name, qualifier = request.captures["name"], request.query_value("Qualifier")
        return 200, self._event_config_document(
            request, self._control.get_event_invoke_config(name, qualifier=qualifier)
        )

    async def _delete_event_config(self, request: Request) -> Answer:
        self._control.delete_event_invoke_config(request.captures["name"], qualifier=request.query_value("Qualifier"))
        return 204, None

    async def _list_event_configs(self, request: Request) -> Answer:
        function = self._control.function(request.captures["name"])
        documents = [
            event_document(f"{function.arn}:{qualifier}", config)
            for qualifier, config in function.event_invoke_configs.items()
        ]
        return 200, {"FunctionEventInvokeConfigs": documents}

    def _event_config_document(self, request: Request, config: EventInvokeConfig) -> dict[str, Any]:
        name = FunctionName.parse(request.captures["name"], request.query_value("Qualifier"))
        return event_document(f"{self._dispatcher.functions.find(name).arn}:{name.qualifier or '$LATEST'}", config)

    async def _put_provisioned(self, request: Request) -> Answer:
        amount: Any = document_of(request).get("ProvisionedConcurrentExecutions")
        state = self._control.put_provisioned_concurrency(
            request.captures["name"],
            _qualifier(request),
            amount,
        )
        return 202, provisioned_document(state)

    async def _get_provisioned(self, request: Request) -> Answer:
        name = request.captures["name"]
        if request.query_value("List") == "ALL":
            function = self._control.function(name)
            states = self._control.provisioned.all_of(function).items()
            documents = [
                {"FunctionArn": f"{function.arn}:{qualifier}", **provisioned_document(state)}
                for qualifier, state in states
            ]
            return 200, {"ProvisionedConcurrencyConfigs": documents}
        return 200, provisioned_document(self._control.get_provisioned_concurrency(name, _qualifier(request)))

    async def _delete_provisioned(self, request: Request) -> Answer:
        self._control.delete_provisioned_concurrency(request.captures["name"], _qualifier(request))
        return 204, None


def _weights(document: dict[str, Any]) -> dict[str, float] | None:
    """None if nothing is said of routing; empty to end it."""
    if document.get("RoutingConfig") is None:
        return None
    routing = document["RoutingConfig"]
    weights = routing.get("AdditionalVersionWeights") or {} if isinstance(routing, dict) else None
    if not isinstance(weights, dict) or not all(type(each) in (int, float) for each in weights.values()):
        raise InvalidRequestContent("Could not parse request body into json: RoutingConfig is no object of weights")
    return weights


def _destination(destinations: object, side: str) -> str | None:
    one = destinations.get(side) or {} if isinstance(destinations, dict) else None
    arn = one.get("Destination") if isinstance(one, dict) else 0
    if arn is not None and not isinstance(arn, str):
        raise InvalidRequestContent("Could not parse request body into json: DestinationConfig is no object of texts")
    return arn or None


def _qualifier(request: Request) -> str:
    qualifier = FunctionName.parse(request.captures["name"], request.query_value("Qualifier")).qualifier
    if qualifier is None:
        raise ResourceNotFound("The resource you requested does not exist.")
    return qualifier
