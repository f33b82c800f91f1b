"""Amazon Lex, version 1, synchronous.

Wire names are those of the event. Unfilled slots are null on the wire and None here; in an answer they have to stay
null, "" is refused.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import FreshField, items, maybe_text, text, text_map, value
from .lex_understanding import LexSentiment, score
from .nested import maybe_view, view, view_map, views
from .view import View

__all__ = [
    "LexV1Bot",
    "LexV1Event",
    "LexV1Intent",
    "LexV1SlotDetail",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from handlerkit.answers.lex import LexAnswer, LexMessage

    Slots = Mapping[str, Any]
    Texts = Mapping[str, str]


def _spoken_slots(value: Any) -> dict[str, str | None]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    if any(isinstance(item, (dict, list)) for item in value.values()):
        raise ValueError("not a map of texts")
    return {name: item if item is None else str(item) for name, item in value.items()}


class LexV1Bot(View):
    """The bot."""

    name = text("name")
    alias = maybe_text("alias")
    version = text("version")


class LexV1SlotDetail(View):
    """How a slot was understood."""

    original_value = maybe_text("originalValue")
    resolutions = items("resolutions")


class LexV1Intent(View):
    """An intent; `slots` are None while unfilled."""

    name = text("name")
    slots: Field[dict[str, str | None]] = FreshField("slots", _spoken_slots, {})
    slot_details = view_map("slotDetails", LexV1SlotDetail)
    confirmation_status = text("confirmationStatus")
    nlu_intent_confidence_score = score("nluIntentConfidenceScore", "nluIntentConfidence")


class LexV1Event(View, kinds=("lex_v1",)):
    """A turn of a conversation, to be steered or fulfilled as `invocation_source` says."""

    answered_by = "lex"

    current_intent = view("currentIntent", LexV1Intent)
    bot = view("bot", LexV1Bot)
    user_id = text("userId")
    input_transcript = text("inputTranscript")
    invocation_source = text("invocationSource")
    output_dialog_mode = text("outputDialogMode")
    message_version = text("messageVersion")
    session_attributes = text_map("sessionAttributes")
    request_attributes = text_map("requestAttributes")
    alternative_intents = views("alternativeIntents", LexV1Intent)
    recent_intent_summary_view = value("recentIntentSummaryView")
    sentiment_response = maybe_view("sentimentResponse", LexSentiment)
    kendra_response = value("kendraResponse")
    active_contexts = items("activeContexts")

    def close(
        self,
        message: str | LexMessage | None = None,
        *,
        fulfilled: bool = True,
        session_attributes: Texts | None = None,
    ) -> LexAnswer:
        """End the conversation."""
        state = "Fulfilled" if fulfilled else "Failed"
        return _turn_v1(self, "Close", message, fulfillment_state=state, session_attributes=session_attributes)

    def delegate(self, *, slots: Slots | None = None, session_attributes: Texts | None = None) -> LexAnswer:
        """Let the bot go on by itself, with these slots filled or (None) emptied."""
        return _turn_v1(self, "Delegate", None, slots=slots, session_attributes=session_attributes)

    def elicit_slot(
        self,
        slot: str,
        message: str | LexMessage | None = None,
        *,
        slots: Slots | None = None,
        session_attributes: Texts | None = None,
    ) -> LexAnswer:
        """Ask for a slot."""
        more = {"slots": slots, "session_attributes": session_attributes}
        return _turn_v1(self, "ElicitSlot", message, slot_to_elicit=slot, **more)

    def elicit_intent(
        self, message: str | LexMessage | None = None, *, session_attributes: Texts | None = None
    ) -> LexAnswer:
        """Ask what the user wants."""
        return _turn_v1(self, "ElicitIntent", message, session_attributes=session_attributes)

    def confirm_intent(
        self, message: str | LexMessage | None = None, *, session_attributes: Texts | None = None
    ) -> LexAnswer:
        """Ask whether the intent is right."""
        return _turn_v1(self, "ConfirmIntent", message, session_attributes=session_attributes)


def _turn_v1(event: LexV1Event, action: str, message: str | LexMessage | None, **more: Any) -> LexAnswer:
    from handlerkit.answers.lex import turn_v1  # late: it is needed for the answer

    return turn_v1(event, action, message, **more)
