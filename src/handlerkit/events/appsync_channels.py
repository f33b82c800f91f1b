"""AppSync Events: messages published to a channel, or somebody who wants to subscribe to it. Generic in the payload.

Wire names are those of the event. A subscription has no messages. Where samples write the text `None`, it is none.
"""

from __future__ import annotations

from .appsync_request import NOTHING, AppSyncIdentity, AppSyncPrevious, AppSyncRequest, maybe_appsync_view
from .descriptor import Field
from .fields import items, mapping, text, texts, value
from .generics import Any, Generic, TypeVar
from .nested import ViewsField, view
from .payload import Payload, object_payload
from .view import View

__all__ = ["AppSyncChannel", "AppSyncChannelEvent", "AppSyncChannelInfo", "AppSyncChannelMessage"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from handlerkit.answers.appsync import ChannelAnswer

V = TypeVar("V", bound=View)
PayloadT = TypeVar("PayloadT", default=Any)


class AppSyncChannel(View):
    """A channel: `/orders/42` has the segments `orders` and `42`."""

    path = text("path")
    segments = texts("segments")


class AppSyncChannelInfo(View):
    """What is asked for, `PUBLISH` or `SUBSCRIBE`, and of which channel."""

    operation = text("operation")
    channel = view("channel", AppSyncChannel)
    channel_namespace = text("name", inside="channelNamespace")


class AppSyncChannelMessage(View, Generic[PayloadT], payloads=(object,)):
    """One message; the answer names it by `id`. `payload` is what was sent, or the type named."""

    id = text("id")
    payload: Payload[PayloadT] = object_payload("payload")

    def accepted(self, payload: Any = ...) -> dict[str, Any]:
        """The result that sends the message, as it came unless another payload is given."""
        return {"id": self.id, "payload": self.raw.get("payload") if payload is ... else payload}

    def refused(self, error: str) -> dict[str, Any]:
        """The result that tells the sender why the message is not sent."""
        return {"id": self.id, "error": error}


class _MessagesField(ViewsField[V]):
    __slots__ = ()

    def make(self, value: Any) -> tuple[V, ...]:
        return () if value in NOTHING else super().make(value)


class AppSyncChannelEvent(View, Generic[PayloadT], kinds=("appsync.events",), payloads=(object,)):
    """Messages to a channel; iterating gives them."""

    answered_by = "appsync"
    may_answer_nothing = True
    events: Field[tuple[AppSyncChannelMessage[PayloadT], ...]] = _MessagesField(
        "events", AppSyncChannelMessage[PayloadT]
    )
    info = view("info", AppSyncChannelInfo)
    identity = maybe_appsync_view("identity", AppSyncIdentity)
    request = view("request", AppSyncRequest)
    result = value("result")
    error = value("error")
    prev = maybe_appsync_view("prev", AppSyncPrevious)
    stash = mapping("stash")
    out_errors = items("outErrors")

    @property
    def is_publish(self) -> bool:
        """Whether there are messages to look at, and not a subscription to allow."""
        return self.info.operation == "PUBLISH"

    def __iter__(self) -> Iterator[AppSyncChannelMessage[PayloadT]]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def publish(self, *results: dict[str, Any]) -> ChannelAnswer:
        """What becomes of the messages; those without a result are dropped."""
        from handlerkit.answers.appsync import ChannelAnswer  # late: it is needed for the answer

        return ChannelAnswer(events=list(results))

    def refuse(self, error: str) -> ChannelAnswer:
        """Refuse all of them, or the subscription. (To allow a subscription, return None.)"""
        from handlerkit.answers.appsync import ChannelAnswer

        return ChannelAnswer(error=error)
