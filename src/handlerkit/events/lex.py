"""Amazon Lex, synchronous: versions 1 and 2 are different events.

Wire names are those of the event. Unfilled slots are null on the wire and None here; in an answer they have to stay
null, "" is refused. Confidences come as numbers or as `{"score": number}`.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import FreshField, items, mapping, maybe_text, text, text_map, texts, value
from .nested import maybe_view, view, view_map, views
from .view import View

__all__ = [
    "LexV1Bot",
    "LexV1Event",
    "LexV1Intent",
    "LexV1SlotDetail",
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
    from typing import Any


def _score(value: Any) -> float | None:
    if isinstance(value, dict):
        value = value.get("score")
    if value is None or value == "":
        return None
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ValueError("a number too large") from None
    raise ValueError("not a score")


def _spoken_slots(value: Any) -> dict[str, str | None]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    if any(isinstance(item, (dict, list)) for item in value.values()):
        raise ValueError("not a map of texts")
    return {name: item if item is None else str(item) for name, item in value.items()}


class LexSentiment(View):
    """How the user sounded; only where the bot asks for it. The scores are text in version 1, an object in 2."""

    label = text("sentimentLabel", "sentiment")
    score = value("sentimentScore")


# --- version 1 -------------------------------------------------------------------------------------------------------


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
    nlu_intent_confidence_score: Field[float | None] = Field(
        "nluIntentConfidenceScore", _score, None, also=("nluIntentConfidence",)
    )


class LexV1Event(View, kinds=("lex_v1",)):
    """A turn of a conversation, to be steered or fulfilled as `invocation_source` says."""

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


# --- version 2 -------------------------------------------------------------------------------------------------------


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
    nlu_confidence: Field[float | None] = Field("nluConfidence", _score, None)
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
    transcription_confidence: Field[float | None] = Field("transcriptionConfidence", _score, None)
    resolved_context = mapping("resolvedContext")
    resolved_slots = view_map("resolvedSlots", LexV2Slot)


class LexV2Event(View, kinds=("lex_v2",)):
    """A turn of a conversation, to be steered or fulfilled as `invocation_source` says."""

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
