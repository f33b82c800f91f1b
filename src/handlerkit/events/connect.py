"""Amazon Connect, synchronous within 8 s: contact flows, and outbound campaigns. Generic in parameters and customer.

Wire names are those of the event: `InstanceARN` is `instance_arn`. A flow's answer is a flat map of texts, or any
JSON where the block says so, up to 32 KB. Queue, endpoints and media streams may all be missing.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import instant, mapping, maybe_text, text, text_map
from .generics import Any, Generic, TypeVar
from .nested import MaybeViewField, maybe_view, view, views
from .payload import Payload, carry_text, object_payload
from .view import View

__all__ = [
    "ConnectAudio",
    "ConnectCampaignContext",
    "ConnectCampaignEvent",
    "ConnectContactData",
    "ConnectCustomerProfile",
    "ConnectDetails",
    "ConnectEndpoint",
    "ConnectEvent",
    "ConnectQueue",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

V = TypeVar("V", bound=View)
ParametersT = TypeVar("ParametersT", default=dict[str, Any])
CustomerT = TypeVar("CustomerT", default=dict[str, Any])


class ConnectEndpoint(View):
    """A telephone number, or another address."""

    address = text("Address")
    type = text("Type")


class ConnectQueue(View):
    """The queue the contact is in."""

    arn = text("ARN")
    name = text("Name")
    outbound_caller_id = maybe_view("OutboundCallerId", ConnectEndpoint)


class _QueueField(MaybeViewField[V]):
    """Older documentation has the queue's name alone."""

    __slots__ = ()

    def make(self, value: Any) -> V | None:
        return super().make({"Name": value} if isinstance(value, str) else value)


class ConnectAudio(View):
    """The customer's audio, as a stream of Kinesis Video; empty unless it is being streamed."""

    stream_arn = maybe_text("StreamARN")
    start_fragment_number = maybe_text("StartFragmentNumber")
    start_timestamp = instant("StartTimestamp")
    stop_fragment_number = maybe_text("StopFragmentNumber")
    stop_timestamp = instant("StopTimestamp")


class ConnectCustomerMedia(View):
    """The customer's side of the media."""

    audio = view("Audio", ConnectAudio)


class ConnectMediaStreams(View):
    """Media that is being streamed."""

    customer = view("Customer", ConnectCustomerMedia)


class ConnectContactData(View):
    """The contact; `channel` is VOICE, CHAT, TASK or EMAIL, in any case of letters."""

    contact_id = text("ContactId")
    initial_contact_id = text("InitialContactId")
    previous_contact_id = text("PreviousContactId")
    related_contact_id = maybe_text("RelatedContactId")
    channel = text("Channel")
    attributes = text_map("Attributes")
    customer_endpoint = maybe_view("CustomerEndpoint", ConnectEndpoint)
    system_endpoint = maybe_view("SystemEndpoint", ConnectEndpoint)
    initiation_method = text("InitiationMethod")
    instance_arn = text("InstanceARN")
    queue: Field[ConnectQueue | None] = _QueueField("Queue", ConnectQueue)
    media_streams = view("MediaStreams", ConnectMediaStreams)
    customer_id = maybe_text("CustomerId")
    name = maybe_text("Name")
    description = maybe_text("Description")
    language_code = maybe_text("LanguageCode")
    references = mapping("References")
    segment_attributes = mapping("SegmentAttributes")
    tags = text_map("Tags")
    aws_region = maybe_text("AwsRegion")


class ConnectDetails(View, Generic[ParametersT], payloads=(dict,)):
    """The contact, and the parameters of the flow's block."""

    contact_data = view("ContactData", ConnectContactData)
    parameters: Payload[ParametersT] = object_payload("Parameters")


class ConnectEvent(View, Generic[ParametersT], kinds=("connect",), payloads=(dict,)):
    """A contact flow that asks: `ConnectEvent[Parameters]` types the parameters."""

    answered_by = "agents"
    may_answer_nothing = True
    name = text("Name")
    details: Field[ConnectDetails[ParametersT]] = view("Details", ConnectDetails[ParametersT])

    @property
    def contact(self) -> ConnectContactData:
        """The contact."""
        return self.details.contact_data

    @property
    def parameters(self) -> ParametersT:
        """The parameters of the flow's block."""
        return self.details.parameters


class ConnectCampaignContext(View):
    """The campaign."""

    campaign_id = text("CampaignId")
    campaign_name = text("CampaignName")
    run_id = text("RunId")
    action_id = text("ActionId")


class _CustomerData(Payload[CustomerT]):
    """An empty text stands for no data."""

    __slots__ = ()

    def find(self, raw: dict[str, Any]) -> Any:
        return super().find(raw) or None


class ConnectCustomerProfile(View, Generic[CustomerT], payloads=(dict,)):
    """One customer; `customer_data` is JSON in text, and a dict or the type named."""

    profile_id = text("ProfileId")
    customer_data: Payload[CustomerT] = _CustomerData("CustomerData", carry_text, 0, False)
    idempotency_token = text("IdempotencyToken")


class ConnectCampaignEvent(View, Generic[CustomerT], kinds=("connect_campaign",), payloads=(dict,)):
    """A step of an outbound campaign; iterating gives the customers' profiles. Answer with one result per profile."""

    campaign = view("CampaignContext", ConnectCampaignContext, inside="InvocationMetadata")
    customer_profiles: Field[tuple[ConnectCustomerProfile[CustomerT], ...]] = views(
        "CustomerProfiles", ConnectCustomerProfile[CustomerT], inside="Items"
    )

    def __iter__(self) -> Iterator[ConnectCustomerProfile[CustomerT]]:
        return iter(self.customer_profiles)

    def __len__(self) -> int:
        return len(self.customer_profiles)
