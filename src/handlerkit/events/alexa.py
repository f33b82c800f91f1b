"""Alexa, synchronous within 8 s: skills, and smart-home directives of all three versions.

Wire names are those of the event: `sessionId` is `session_id`. Check `application_id` before you act: anybody may
send a skill's function a request. After SessionEndedRequest no speech may be answered.
"""

from __future__ import annotations

from .fields import boolean, instant, mapping, maybe_text, text, value
from .generics import Any, Generic, TypeVar
from .nested import maybe_view, view, view_map
from .payload import Payload, object_payload
from .view import View

__all__ = [
    "AlexaContext",
    "AlexaDevice",
    "AlexaEndpoint",
    "AlexaHeader",
    "AlexaIntent",
    "AlexaRequest",
    "AlexaSession",
    "AlexaSkillEvent",
    "AlexaSlot",
    "AlexaSmartHomeEvent",
    "AlexaUser",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handlerkit.answers.alexa import AlexaAnswer

DirectiveT = TypeVar("DirectiveT", default=dict[str, Any])


class AlexaUser(View):
    """Whose account it is; the token is there once the account is linked."""

    user_id = text("userId")
    access_token = maybe_text("accessToken", secret=True)


class AlexaSession(View):
    """The conversation; `attributes` are what the last answer put there."""

    new = boolean("new")
    session_id = text("sessionId")
    application_id = text("applicationId", inside="application")
    user = view("user", AlexaUser)
    attributes = mapping("attributes")


class AlexaDevice(View):
    """The device that was spoken to."""

    device_id = maybe_text("deviceId")
    supported_interfaces = mapping("supportedInterfaces")


class AlexaSystem(View):
    """What the service says of application, device and user; `person` is who was recognised by voice."""

    application_id = text("applicationId", inside="application")
    user = view("user", AlexaUser)
    device = view("device", AlexaDevice)
    person = mapping("person")
    unit = mapping("unit")
    api_endpoint = maybe_text("apiEndpoint")
    api_access_token = maybe_text("apiAccessToken", secret=True)


class AlexaContext(View):
    """The state of service and device; other interfaces' are in `raw`."""

    system = view("System", AlexaSystem)
    audio_player = mapping("AudioPlayer")
    viewport = mapping("Viewport")


class AlexaSlot(View):
    """A slot of an intent; `value` is as spoken, None while it is unfilled."""

    name = text("name")
    confirmation_status = maybe_text("confirmationStatus")
    source = maybe_text("source")
    resolutions = mapping("resolutions")
    slot_value = value("slotValue")
    value = maybe_text("value")


class AlexaIntent(View):
    """What the user wants."""

    name = text("name")
    confirmation_status = maybe_text("confirmationStatus")
    slots = view_map("slots", AlexaSlot)


class AlexaRequest(View):
    """The request; which fields there are depends on `type`, and rarer ones are in `raw`."""

    type = text("type")
    request_id = text("requestId")
    timestamp = instant("timestamp")
    locale = maybe_text("locale")
    intent = maybe_view("intent", AlexaIntent)
    dialog_state = maybe_text("dialogState")
    reason = maybe_text("reason")
    error = value("error")
    token = maybe_text("token")


class AlexaSkillEvent(View, kinds=("alexa_skill",)):
    """A request to a skill. Requests of the player and of the skill's life have no session."""

    answered_by = "alexa"
    version = text("version")
    request = view("request", AlexaRequest)
    session = maybe_view("session", AlexaSession)
    context = view("context", AlexaContext)

    @property
    def application_id(self) -> str:
        """The skill that was addressed."""
        in_session = self.session.application_id if self.session is not None else ""
        return in_session or self.context.system.application_id

    @property
    def intent_name(self) -> str | None:
        """The intent's name, or None for a request that has none."""
        return self.request.intent.name if self.request.intent is not None else None

    @property
    def slots(self) -> dict[str, str | None]:
        """The intent's slots as spoken; empty for a request without an intent."""
        intent = self.request.intent
        return {} if intent is None else {name: slot.value for name, slot in intent.slots.items()}

    def say(
        self,
        speech: str | None = None,
        *,
        reprompt: str | None = None,
        card: Mapping[str, Any] | None = None,
        directives: Iterable[Mapping[str, Any]] = (),
        ends_session: bool | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> AlexaAnswer:
        """The answer; texts that begin with `<speak>` are SSML. Without `attributes` the session's stay as they are.

        Without `ends_session` a reprompt keeps the session open, and Alexa decides otherwise.
        """
        from handlerkit.answers.alexa import said  # late: it is needed for the answer

        if attributes is None:
            attributes = self.session.attributes if self.session is not None else {}
        if ends_session is None and reprompt is not None:
            ends_session = False
        return said(
            speech,
            reprompt=reprompt,
            card=card,
            directives=directives,
            ends_session=ends_session,
            attributes=attributes,
        )


class AlexaHeader(View):
    """What is to be done: `namespace` and `name`."""

    namespace = text("namespace")
    name = text("name")
    message_id = text("messageId")
    payload_version = text("payloadVersion")
    correlation_token = maybe_text("correlationToken")


class AlexaEndpoint(View):
    """The appliance; `scope` holds the user's token."""

    endpoint_id = text("endpointId")
    scope_type = maybe_text("type", inside="scope")
    token = maybe_text("token", inside="scope", secret=True)
    cookie = mapping("cookie")


class AlexaSmartHomeEvent(View, Generic[DirectiveT], kinds=("alexa_smart_home",), payloads=(dict,)):
    """A directive. What version 3 nests under `directive` stands in the event itself, as in versions 1 and 2.

    `payload` is a dict, or the type named. Discovery has no endpoint, nor have the older versions.
    """

    answered_by = "alexa"
    header = view("header", AlexaHeader, inside="directive")
    endpoint = maybe_view("endpoint", AlexaEndpoint, inside="directive")
    payload: Payload[DirectiveT] = object_payload("payload", inside="directive")

    def respond(
        self,
        payload: Mapping[str, Any] | None = None,
        *,
        name: str = "Response",
        namespace: str | None = None,
        properties: Iterable[Mapping[str, Any]] = (),
    ) -> AlexaAnswer:
        """The answer of payload version 3; `properties` are states, each with namespace, name, value and timeOfSample.

        Discovery has a name (`Discover.Response`) and a namespace of its own, which is the directive's.
        """
        from handlerkit.answers.alexa import smart_home  # late: it is needed for the answer

        return smart_home(self, namespace or "Alexa", name, payload or {}, properties)

    def refuse(self, error_type: str, message: str) -> AlexaAnswer:
        """The answer that something failed: `ENDPOINT_UNREACHABLE`, `INVALID_VALUE` and others."""
        from handlerkit.answers.alexa import smart_home

        return smart_home(self, "Alexa", "ErrorResponse", {"type": error_type, "message": message}, ())
