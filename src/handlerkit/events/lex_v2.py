"""Amazon Lex, version 2, synchronous.

Wire names are those of the event. Unfilled slots are null on the wire and None here; in an answer they have to stay
null, "" is refused.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import items, mapping, maybe_text, text, text_map, texts, value
from .lex_understanding import LexSentiment, score
from .nested import maybe_view, view, view_map, views
from .view import View

__all__ = [
    "LexV2Bot",
    "LexV2DialogAction",
    "LexV2Event",
    "LexV2Intent",
    "LexV2Interpretation",
    "LexV2NextState",
    "LexV2SessionState",
    "LexV2Slot",
    "LexV2Transcription",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from handlerkit.answers.lex import LexAnswer, LexMessage

    Slots = Mapping[str, Any]
    Texts = Mapping[str, str]


class LexV2Bot(View):
    """The bot."""

    id = text("id")
    name = text("name")
    alias_id = text("aliasId")
    alias_name = maybe_text("aliasName")
    locale_id = text("localeId")
    version = text("version")


class LexV2Slot(View):
    """A slot: `shape` is Scalar, List (then `values`) or Composite (then `sub_slots`)."""

    shape = maybe_text("shape")
    original_value = maybe_text("originalValue", inside="value")
    interpreted_value = maybe_text("interpretedValue", inside="value")
    resolved_values = texts("resolvedValues", inside="value")
    values: Field[tuple[LexV2Slot, ...]] = views("values", lambda: LexV2Slot)
    sub_slots: Field[dict[str, LexV2Slot]] = view_map("subSlots", lambda: LexV2Slot)


class LexV2Intent(View):
    """An intent; `slots` has the filled ones, `raw["slots"]` also the names of the others."""

    name = text("name")
    slots = view_map("slots", LexV2Slot)
    state = maybe_text("state")
    confirmation_state = maybe_text("confirmationState")
    kendra_response = value("kendraResponse")

    def slot_value(self, name: str) -> str | None:
        """How a slot was interpreted, or None while it is unfilled."""
        slot = self.slots.get(name)
        return None if slot is None else slot.interpreted_value


class LexV2Interpretation(View):
    """One reading of what the user said; the fallback intent has no confidence."""

    intent = view("intent", LexV2Intent)
    interpretation_source = maybe_text("interpretationSource")
    nlu_confidence = score("nluConfidence")
    sentiment_response = maybe_view("sentimentResponse", LexSentiment)


class LexV2DialogAction(View):
    """What the bot does next."""

    type = text("type")
    slot_to_elicit = maybe_text("slotToElicit")
    slot_elicitation_style = maybe_text("slotElicitationStyle")
    sub_slot_to_elicit = value("subSlotToElicit")


class LexV2NextState(View):
    """What the bot would do by itself."""

    intent = view("intent", LexV2Intent)
    dialog_action = maybe_view("dialogAction", LexV2DialogAction)
    prompt = value("prompt")


class LexV2SessionState(View):
    """The conversation so far; an answer sends it back, changed."""

    intent = view("intent", LexV2Intent)
    session_attributes = text_map("sessionAttributes")
    active_contexts = items("activeContexts")
    dialog_action = maybe_view("dialogAction", LexV2DialogAction)
    runtime_hints = mapping("runtimeHints")
    originating_request_id = maybe_text("originatingRequestId")


class LexV2Transcription(View):
    """What was heard, and how it was understood."""

    transcription = text("transcription")
    transcription_confidence = score("transcriptionConfidence")
    resolved_context = mapping("resolvedContext")
    resolved_slots = view_map("resolvedSlots", LexV2Slot)


class LexV2Event(View, kinds=("lex_v2",)):
    """A turn of a conversation, to be steered or fulfilled as `invocation_source` says."""

    answered_by = "lex"

    session_state = view("sessionState", LexV2SessionState)
    interpretations = views("interpretations", LexV2Interpretation)
    bot = view("bot", LexV2Bot)
    session_id = text("sessionId")
    input_transcript = text("inputTranscript")
    input_mode = text("inputMode")
    invocation_source = text("invocationSource")
    invocation_label = maybe_text("invocationLabel")
    response_content_type = text("responseContentType")
    message_version = text("messageVersion")
    proposed_next_state = maybe_view("proposedNextState", LexV2NextState)
    request_attributes = text_map("requestAttributes")
    transcriptions = views("transcriptions", LexV2Transcription)

    @property
    def intent(self) -> LexV2Intent:
        """The intent in question."""
        return self.session_state.intent

    def close(
        self,
        *messages: str | LexMessage,
        fulfilled: bool = True,
        slots: Slots | None = None,
        session_attributes: Texts | None = None,
    ) -> LexAnswer:
        """End the conversation."""
        state = "Fulfilled" if fulfilled else "Failed"
        return _turn(self, "Close", messages, state=state, slots=slots, session_attributes=session_attributes)

    def delegate(self, *, slots: Slots | None = None, session_attributes: Texts | None = None) -> LexAnswer:
        """Let the bot go on by itself, with these slots filled or (None) emptied."""
        return _turn(self, "Delegate", (), slots=slots, session_attributes=session_attributes)

    def elicit_slot(
        self,
        slot: str,
        *messages: str | LexMessage,
        slots: Slots | None = None,
        session_attributes: Texts | None = None,
    ) -> LexAnswer:
        """Ask for a slot; without messages, with the bot's own prompt."""
        more = {"slots": slots, "session_attributes": session_attributes}
        return _turn(self, "ElicitSlot", messages, slot_to_elicit=slot, state="InProgress", **more)

    def elicit_intent(self, *messages: str | LexMessage, session_attributes: Texts | None = None) -> LexAnswer:
        """Ask what the user wants; at least one message."""
        return _turn(self, "ElicitIntent", messages, session_attributes=session_attributes)

    def confirm_intent(
        self, *messages: str | LexMessage, slots: Slots | None = None, session_attributes: Texts | None = None
    ) -> LexAnswer:
        """Ask whether the intent is right; at least one message."""
        more = {"slots": slots, "session_attributes": session_attributes}
        return _turn(self, "ConfirmIntent", messages, state="InProgress", **more)


def _turn(event: LexV2Event, action: str, messages: tuple[str | LexMessage, ...], **more: Any) -> LexAnswer:
    from handlerkit.answers.lex import turn_v2  # late: it is needed for the answer

    return turn_v2(event, action, messages, **more)
