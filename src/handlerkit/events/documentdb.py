"""Amazon DocumentDB change streams, polled. Generic in the document.

Wire names are those of the change document: `fullDocument` is `full_document`; what the wire nests under `event`
stands in the change itself. Documents are extended JSON (`{"$oid": …}`, `{"$numberLong": …}`) and become plain
Python values before they meet the user's type; as they came they are in `change.raw["event"]`. What the function
returns is ignored.
"""

from __future__ import annotations

from .descriptor import Field
from .extended_json import from_extended_json
from .fields import FreshField, mapping, text, texts, value
from .generics import Any, Generic, TypeVar
from .instants import instant as decode_instant
from .nested import maybe_view, view, views
from .payload import Payload
from .view import View

__all__ = ["DocumentDBChange", "DocumentDBEvent", "DocumentDBNamespace", "DocumentDBUpdate"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from .readers import Reader

DocumentT = TypeVar("DocumentT", default=dict[str, Any])


def _carry_document(reader: Reader) -> Callable[[Any], Any]:
    def carried(value: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError("not a document")
        return reader.from_values(from_extended_json(value))

    return carried


def _document(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not a document")
    found: dict[str, Any] = from_extended_json(value)
    return found


def _cluster_time(value: Any) -> datetime | None:
    if isinstance(value, dict):
        stamp = value.get("$timestamp", value.get("$date"))
        value = stamp.get("t") if isinstance(stamp, dict) else stamp
    return None if value is None else decode_instant(value)


class DocumentDBNamespace(View):
    """A database and, but for events of the whole database, a collection."""

    db = text("db")
    coll = text("coll")


class DocumentDBUpdate(View):
    """What an update changed: new values by field path, and what is gone."""

    updated_fields: Field[dict[str, Any]] = FreshField("updatedFields", _document, {})
    removed_fields = texts("removedFields")
    truncated_arrays = value("truncatedArrays")


class DocumentDBChange(View, Generic[DocumentT], payloads=(dict,)):
    """One change; documents are dicts, or the type named: `DocumentDBChange[Order]`.

    `operation_type` is insert, update, replace, delete, drop, rename, dropDatabase or invalidate. An update has no
    full document unless the event source mapping asks for it.
    """

    operation_type = text("operationType", inside="event")
    full_document: Payload[DocumentT | None] = Payload("fullDocument", _carry_document, 0, True, inside="event")
    full_document_before_change: Payload[DocumentT | None] = Payload(
        "fullDocumentBeforeChange", _carry_document, 0, True, inside="event"
    )
    document_key: Field[dict[str, Any]] = FreshField("documentKey", _document, {}, inside="event")
    update_description = maybe_view("updateDescription", DocumentDBUpdate, inside="event")
    ns = view("ns", DocumentDBNamespace, inside="event")
    to = maybe_view("to", DocumentDBNamespace, inside="event")
    cluster_time: Field[datetime | None] = Field("clusterTime", _cluster_time, None, inside="event")
    id = mapping("_id", inside="event")
    txn_number: Field[Any] = Field("txnNumber", from_extended_json, None, inside="event")
    lsid = mapping("lsid", inside="event")


class DocumentDBEvent(View, Generic[DocumentT], kinds=("documentdb",), payloads=(dict,)):
    """A batch of changes; iterating gives them."""

    events: Field[tuple[DocumentDBChange[DocumentT], ...]] = views("events", DocumentDBChange[DocumentT])
    event_source = text("eventSource")
    event_source_arn = text("eventSourceArn")

    def __iter__(self) -> Iterator[DocumentDBChange[DocumentT]]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)
