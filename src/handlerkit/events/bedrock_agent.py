"""Amazon Bedrock agents' action groups, synchronous: by function, or by API schema. Generic in arguments and body.

Wire names are those of the event. Every argument travels as text whatever its declared type: here it is decoded as
declared, and stays text where it is not what was declared. Answer with `event.reply(...)`, at most 25 KB.
"""

from __future__ import annotations

from .fields import text, text_map, value
from .generics import Any, Generic, TypeVar
from .json_text import load
from .nested import view, views
from .payload import Payload
from .view import View

__all__ = [
    "BedrockAgent",
    "BedrockAgentApiEvent",
    "BedrockAgentEvent",
    "BedrockAgentFunctionEvent",
    "BedrockAgentParameter",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from .readers import Reader

T = TypeVar("T")
ArgumentsT = TypeVar("ArgumentsT", default=dict[str, Any])
BodyT = TypeVar("BodyT", default=dict[str, Any])


def _decoded(kind: str, content: Any) -> Any:
    """An argument's text as its declared type; as it is where it cannot be read so."""
    if not isinstance(content, str):
        return content
    try:
        if kind == "integer":
            return int(content)
        if kind == "number":
            number = float(content)
            return number if number - number == 0 else content  # what JSON has no number for
        if kind == "boolean":
            return {"true": True, "false": False}.get(content.strip().lower(), content)
        if kind == "object":
            found = load(content)
            return found if isinstance(found, dict) else content
        if kind == "array":
            return _array(content)
    except ValueError:
        pass
    return content


def _array(content: str) -> Any:
    """`["a", "b"]`, or the agent's own `[a, b]`, which is no JSON."""
    try:
        found = load(content)
        return found if isinstance(found, list) else content
    except ValueError:
        inner = content.strip()
        if not (inner.startswith("[") and inner.endswith("]")):
            return content
        return [item.strip() for item in inner[1:-1].split(",") if item.strip()]


def _named(value: Any) -> dict[str, Any]:
    """A list of `{name, type, value}` as a dict."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError("not a list of arguments")
    return {str(one.get("name")): _decoded(str(one.get("type")), one.get("value")) for one in value}


def _carry_arguments(reader: Reader) -> Callable[[Any], Any]:
    return lambda value: reader.from_object(_named(value))


def _carry_body(reader: Reader) -> Callable[[Any], Any]:
    """The properties of the body's JSON form, or else of its first form."""

    def carried(value: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError("not an object")
        form = value.get("application/json") or next(iter(value.values()), None) or {}
        if not isinstance(form, dict):
            raise TypeError("not a map of content types")
        return reader.from_object(_named(form.get("properties") or []))

    return carried


class _ArgumentsPayload(Payload[T]):
    __slots__ = ()

    def when_absent(self) -> T:
        return self.decoded({} if self.inside else [])  # no arguments: a type that needs none is content


class BedrockAgentParameter(View):
    """An argument as it travels."""

    name = text("name")
    type = text("type")
    value = text("value")


class BedrockAgent(View):
    """The agent."""

    id = text("id")
    name = text("name")
    alias = text("alias")
    version = text("version")


class BedrockAgentEvent(View, kinds=("bedrock_agent",)):
    """What both forms have in common. Attributes of session and prompt go back with the answer."""

    answered_by = "agents"
    action_group = text("actionGroup")
    agent = view("agent", BedrockAgent)
    input_text = text("inputText")
    session_id = text("sessionId")
    session_attributes = text_map("sessionAttributes")
    prompt_session_attributes = text_map("promptSessionAttributes")
    knowledge_bases_configuration = value("knowledgeBasesConfiguration")
    parameters = views("parameters", BedrockAgentParameter)
    message_version = text("messageVersion")

    def _answer(
        self,
        response: dict[str, Any],
        session_attributes: Mapping[str, str] | None,
        prompt_session_attributes: Mapping[str, str] | None,
    ) -> dict[str, Any]:
        session = self.session_attributes if session_attributes is None else session_attributes
        prompt = self.prompt_session_attributes if prompt_session_attributes is None else prompt_session_attributes
        return {
            "messageVersion": "1.0",
            "response": {"actionGroup": self.action_group, **response},
            "sessionAttributes": dict(session),
            "promptSessionAttributes": dict(prompt),
        }


class BedrockAgentFunctionEvent(
    BedrockAgentEvent, Generic[ArgumentsT], kinds=("bedrock_agent.function",), payloads=(dict,)
):
    """A function to call; `arguments` is a dict by name, or the type named: `BedrockAgentFunctionEvent[Vacation]`."""

    function = text("function")
    arguments: Payload[ArgumentsT] = _ArgumentsPayload("parameters", _carry_arguments, 0, False)

    def reply(
        self,
        body: str,
        *,
        state: Literal["FAILURE", "REPROMPT"] | None = None,
        session_attributes: Mapping[str, str] | None = None,
        prompt_session_attributes: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The answer with a text for the agent; session attributes stay as they came unless others are given."""
        result: dict[str, Any] = {"responseBody": {"TEXT": {"body": body}}}
        if state is not None:
            result["responseState"] = state
        response = {"function": self.function, "functionResponse": result}
        return self._answer(response, session_attributes, prompt_session_attributes)


class BedrockAgentApiEvent(
    BedrockAgentEvent, Generic[BodyT, ArgumentsT], kinds=("bedrock_agent.api",), payloads=(dict, dict)
):
    """An operation to call: `body` the request's properties, `arguments` those of path and query, both by name.

    Dicts, or the types named: `BedrockAgentApiEvent[Claim, Query]`. `api_path` is the template, not filled in.
    """

    api_path = text("apiPath")
    http_method = text("httpMethod")
    body: Payload[BodyT] = _ArgumentsPayload("content", _carry_body, 0, False, inside="requestBody")
    arguments: Payload[ArgumentsT] = _ArgumentsPayload("parameters", _carry_arguments, 1, False)

    def reply(
        self,
        body: object,
        *,
        status: int = 200,
        content_type: str = "application/json",
        session_attributes: Mapping[str, str] | None = None,
        prompt_session_attributes: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The answer; a body that is no text is written as JSON. Session attributes as in a function's answer."""
        from handlerkit.reply import encoded  # late: it imports this package

        response = {
            "apiPath": self.api_path,
            "httpMethod": self.http_method,
            "httpStatusCode": status,
            "responseBody": {content_type: {"body": body if isinstance(body, str) else str(encoded(body), "utf-8")}},
        }
        return self._answer(response, session_attributes, prompt_session_attributes)
