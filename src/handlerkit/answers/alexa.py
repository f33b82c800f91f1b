"""Alexa: what a skill says, and the answers of smart-home devices (payload version 3)."""

from __future__ import annotations

from .answer import Answer, AnswerError, want_object

__all__ = ["AlexaAnswer", "checked", "said", "smart_home"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


class AlexaAnswer(Answer):
    """Made by the event: `event.say(…)`, and for devices `event.respond(…)` or `event.refuse(…)`."""

    __slots__ = ()


def said(
    speech: str | None,
    *,
    reprompt: str | None,
    card: Mapping[str, Any] | None,
    directives: Iterable[Mapping[str, Any]],
    ends_session: bool | None,
    attributes: Mapping[str, Any],
) -> AlexaAnswer:
    """What a skill says; texts that begin with `<speak>` are SSML."""
    response: dict[str, Any] = {}
    if speech is not None:
        response["outputSpeech"] = _speech(speech)
    if reprompt is not None:
        response["reprompt"] = {"outputSpeech": _speech(reprompt)}
    if card is not None:
        response["card"] = dict(card)
    if listed := [dict(one) for one in directives]:
        response["directives"] = listed
    if ends_session is not None:
        response["shouldEndSession"] = ends_session
    return AlexaAnswer(version="1.0", sessionAttributes=dict(attributes), response=response)


def _speech(text: str) -> dict[str, str]:
    if text.lstrip().startswith("<speak>"):
        return {"type": "SSML", "ssml": text}
    return {"type": "PlainText", "text": text}


def smart_home(
    event: Any, namespace: str, name: str, payload: Mapping[str, Any], properties: Iterable[Mapping[str, Any]]
) -> AlexaAnswer:
    """The answer to a directive, with a message id of its own and the directive's correlation token."""
    from posix import urandom

    header = {"namespace": namespace, "name": name, "payloadVersion": "3", "messageId": urandom(16).hex()}
    if event.header.correlation_token is not None:
        header["correlationToken"] = event.header.correlation_token
    made: dict[str, Any] = {"header": header, "payload": dict(payload)}
    if event.endpoint is not None:
        made["endpoint"] = {"endpointId": event.endpoint.endpoint_id}
    answer = AlexaAnswer(event=made)
    if listed := [dict(one) for one in properties]:
        answer["context"] = {"properties": listed}
    return answer


def checked(event: Any, result: Any) -> dict[str, Any]:
    """Refuse what Alexa would tell the user of as a problem with the skill."""
    answer = want_object(result, "Alexa", "return event.say(...), or for a device event.respond(...)")
    if hasattr(event, "header"):  # a device
        if not isinstance(answer.get("event", answer).get("header"), dict):
            raise AnswerError("the answer has no header: return event.respond(...) or event.refuse(...)")
        return answer
    response = answer.get("response")
    if not isinstance(response, dict) or not isinstance(answer.get("version"), str):
        raise AnswerError("the answer has to have a version and a response: return event.say(...)")
    if event.request.type == "SessionEndedRequest" and (response.get("outputSpeech") or response.get("reprompt")):
        raise AnswerError("nothing can be said once the session has ended: return event.say()")
    return answer
