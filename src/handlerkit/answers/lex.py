"""Lex, versions 1 and 2: what the bot does next. Slots and attributes go back as they came unless others are given."""

from __future__ import annotations

from .answer import Answer, AnswerError, want_object

__all__ = ["LexAnswer", "LexMessage", "checked", "turn_v1", "turn_v2"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ACTIONS = ("Close", "ConfirmIntent", "Delegate", "ElicitIntent", "ElicitSlot")
CONTENT_TYPES = ("PlainText", "SSML", "CustomPayload", "ImageResponseCard")
# Lex has nothing to say by itself after these.
NEED_MESSAGES = ("ElicitIntent", "ConfirmIntent")


class LexAnswer(Answer):
    """Made by the event: `event.close(…)`, `delegate`, `elicit_slot`, `elicit_intent`, `confirm_intent`."""

    __slots__ = ()


class LexMessage(Answer):
    """What the bot says; plain texts can be given as they are."""

    __slots__ = ()

    @classmethod
    def ssml(cls, content: str) -> LexMessage:
        """Speech with markup."""
        return cls(contentType="SSML", content=content)

    @classmethod
    def custom(cls, content: str) -> LexMessage:
        """A text for the client application."""
        return cls(contentType="CustomPayload", content=content)

    @classmethod
    def card(
        cls,
        title: str,
        subtitle: str | None = None,
        *,
        image_url: str | None = None,
        buttons: Mapping[str, str] | None = None,
    ) -> LexMessage:
        """A card (version 2); `buttons` maps what they show to what they say. Raises `AnswerError` for over five."""
        if buttons is not None and len(buttons) > 5:
            raise AnswerError(f"a card has at most 5 buttons, not {len(buttons)}")
        card: dict[str, Any] = {"title": title}
        if subtitle is not None:
            card["subtitle"] = subtitle
        if image_url is not None:
            card["imageUrl"] = image_url
        if buttons:
            card["buttons"] = [{"text": text, "value": value} for text, value in buttons.items()]
        return cls(contentType="ImageResponseCard", imageResponseCard=card)


def turn_v2(
    event: Any,
    action: str,
    messages: tuple[str | LexMessage, ...],
    *,
    state: str | None = None,
    slots: Mapping[str, Any] | None = None,
    session_attributes: Mapping[str, str] | None = None,
    slot_to_elicit: str | None = None,
) -> LexAnswer:
    """An answer to version 2."""
    dialog: dict[str, Any] = {"type": action}
    if slot_to_elicit is not None:
        dialog["slotToElicit"] = slot_to_elicit
    session: dict[str, Any] = {"dialogAction": dialog}
    came = event.session_state.raw
    if action != "ElicitIntent" and isinstance(came.get("intent"), dict):
        intent = dict(came["intent"])
        if slots is not None:
            intent["slots"] = {**(intent.get("slots") or {}), **{name: _slot(value) for name, value in slots.items()}}
        if state is not None:
            intent["state"] = state
        session["intent"] = intent
    attributes = came.get("sessionAttributes") if session_attributes is None else dict(session_attributes)
    if attributes is not None:
        session["sessionAttributes"] = attributes
    if came.get("activeContexts") is not None:
        session["activeContexts"] = came["activeContexts"]
    answer = LexAnswer(sessionState=session)
    if messages:
        answer["messages"] = [_message(one) for one in messages]
    if event.raw.get("requestAttributes") is not None:
        answer["requestAttributes"] = event.raw["requestAttributes"]
    return answer


def turn_v1(
    event: Any,
    action: str,
    message: str | LexMessage | None,
    *,
    fulfillment_state: str | None = None,
    slots: Mapping[str, str | None] | None = None,
    session_attributes: Mapping[str, str] | None = None,
    slot_to_elicit: str | None = None,
) -> LexAnswer:
    """An answer to version 1."""
    dialog: dict[str, Any] = {"type": action}
    if action in ("ElicitSlot", "ConfirmIntent", "Delegate"):
        dialog["slots"] = {**event.current_intent.slots, **(slots or {})}
    if action in ("ElicitSlot", "ConfirmIntent"):
        dialog["intentName"] = event.current_intent.name
    if fulfillment_state is not None:
        dialog["fulfillmentState"] = fulfillment_state
    if slot_to_elicit is not None:
        dialog["slotToElicit"] = slot_to_elicit
    if message is not None:
        dialog["message"] = _message(message)
    attributes = event.raw.get("sessionAttributes") if session_attributes is None else dict(session_attributes)
    return LexAnswer(sessionAttributes=attributes or {}, dialogAction=dialog)


def _message(message: str | LexMessage) -> Any:
    return {"contentType": "PlainText", "content": message} if isinstance(message, str) else message


def _slot(value: Any) -> Any:
    if isinstance(value, str):
        shown = {"originalValue": value, "interpretedValue": value, "resolvedValues": [value]}
        return {"shape": "Scalar", "value": shown}
    return value


def checked(event: Any, result: Any) -> dict[str, Any]:
    """Refuse what Lex would drop the conversation for."""
    answer = want_object(
        result, "Lex", "return event.close(...), event.delegate(...) or another of the event's answers"
    )
    is_v2 = hasattr(event, "session_state")
    part, where = (answer.get("sessionState"), "sessionState") if is_v2 else (answer, "the answer")
    dialog = part.get("dialogAction") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(dialog, dict):
        raise AnswerError(
            f"{where} has no dialogAction: return event.close(...), event.delegate(...) or another answer"
        )
    action = dialog.get("type")
    if action not in ACTIONS:
        raise AnswerError(f"dialogAction.type is {action!r:.50}, and can be {', '.join(ACTIONS)}")
    if action == "ElicitSlot" and not dialog.get("slotToElicit"):
        raise AnswerError("ElicitSlot has to name its slotToElicit")
    slots = (part.get("intent") or {}).get("slots") if is_v2 else dialog.get("slots")
    empty = [name for name, value in (slots or {}).items() if value == ""]
    if empty:
        raise AnswerError(f"slot {empty[0]!r} is an empty text: an unfilled slot has to be None")
    said = answer.get("messages") if is_v2 else dialog.get("message")
    if action in NEED_MESSAGES and is_v2 and not said:
        raise AnswerError(f"{action} needs at least one message")
    for message in said if isinstance(said, list) else [said] if said else []:
        if not isinstance(message, dict) or message.get("contentType") not in CONTENT_TYPES:
            raise AnswerError(f"a message has to have a contentType, one of {', '.join(CONTENT_TYPES)}")
    return answer
