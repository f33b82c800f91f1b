"""Where each source's records are in an event: raw objects, their identifiers, and what their order goes by.

Everything from a raw record to its identifier works on plain dicts, never on a view or a model, so that a record which
cannot be read can still be reported. An identifier that Lambda would not recognise makes a response that fails the
whole batch at best; that is found out here, before anything runs.
"""

from __future__ import annotations

from _operator import itemgetter  # the C module: operator only re-exports it

from handlerkit.events.errors import EventValidationError, Problem, shortened
from handlerkit.events.kinds import is_of_kind, outer_kind

from .errors import UntrustedBatchError
from .policies import policy_for

__all__ = ["SOURCES", "Found", "Source", "found_in", "source_of_view"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from typing import Any


class Found:
    """A batch's records: `raws`, `identifiers` and `keys` have the same length and the order of the event.

    `unreadable` are positions of which it is known already that they cannot be read, and why.
    """

    __slots__ = ("event", "identifiers", "keys", "raws", "source", "unreadable")

    def __init__(
        self,
        source: Source,
        event: dict[str, Any],
        raws: list[dict[str, Any]],
        identifiers: Sequence[Any],
        keys: Sequence[Hashable] | None = None,
    ) -> None:
        self.source = source
        self.event = event
        self.raws = raws
        self.identifiers = identifiers
        self.keys: Sequence[Hashable] = keys if keys is not None else range(len(raws))
        self.unreadable: dict[int, Exception] = {}

    def names(self, where: str) -> list[tuple[object, ...]]:
        """A name for each record that no other record of the function has, not even one packed with it."""
        name = self.source.name
        packed = [_inner(raw, "kinesis").get("subSequenceNumber") for raw in self.raws]
        return [
            (name, where, identifier) if number is None else (name, where, identifier, number)
            for identifier, number in zip(self.identifiers, packed, strict=True)
        ]


class Source:
    """One source; subclasses say where things are.

    `name` is its row in `POLICIES`, `module` the module of its views, `kind` what the event is detected as. `family`
    is the kind of response. Where nothing is brought again (`brings_again`), time that runs out must not leave a record
    out: then the invocation has to fail. A batch that failed altogether fails the invocation, or is still answered.
    """

    name: str = ""
    module: str = ""
    kind: str = ""
    family: str = "partial"
    brings_again: bool = True
    raises_when_all_failed: bool = True
    container: str = "Records"

    def find(self, event: dict[str, Any], by_key: bool) -> Found:
        """The records. Raises `EventValidationError` and `UntrustedBatchError`."""
        raise NotImplementedError

    def where(self, found: Found) -> str:
        """The queue, stream or topic, for the log."""
        return str(found.raws[0].get("eventSourceARN") or "") if found.raws else ""

    def _raws(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        raws = event.get(self.container)
        if not isinstance(raws, list):
            raise _not_a_batch(self.name, f"no array of {self.container}", event)
        if not set(map(type, raws)) <= _OBJECT:
            raise UntrustedBatchError(f"{self.name}: a record that is no object cannot be named in a response")
        return raws


class Sqs(Source):
    """SQS; a FIFO queue is recognised by its name, or without one by what only its messages have."""

    name, module, kind = "sqs.standard", "sqs", "sqs"

    def find(self, event: dict[str, Any], by_key: bool) -> Found:
        """Messages and their ids; in a FIFO queue the key is the message group."""
        del by_key
        raws: Any = event.get(self.container)
        try:
            # Only objects can be asked for a key, and only texts be joined: it takes half as long as to check each.
            identifiers = list(map(_MESSAGE_ID, raws))
            "".join(identifiers)
        except (KeyError, TypeError):
            identifiers = []
        if type(raws) is not list or not identifiers or not all(identifiers):  # the long way finds out what is wrong
            raws = self._raws(event)
            identifiers = _texts(self.name, raws, "messageId")
        if not raws or not _is_fifo(raws[0]):
            return Found(self, event, raws, identifiers)
        groups = [_inner(raw, "attributes").get("MessageGroupId") for raw in raws]
        return Found(SQS_FIFO, event, raws, identifiers, [group if type(group) is str else "" for group in groups])


_MESSAGE_ID = itemgetter("messageId")


class SqsFifo(Sqs):
    """A FIFO queue, once recognised."""

    name = "sqs.fifo"


def _is_fifo(raw: dict[str, Any]) -> bool:
    arn = raw.get("eventSourceARN")
    if isinstance(arn, str) and arn:
        return arn.endswith(".fifo")
    return "SequenceNumber" in _inner(raw, "attributes")


class Kinesis(Source):
    """Kinesis Data Streams. User records that were packed into one share its number, and come again together."""

    name, module, kind = "kinesis", "kinesis", "kinesis_stream"

    def find(self, event: dict[str, Any], by_key: bool) -> Found:
        """Records, sequence numbers, partition keys; what cannot be unpacked stays one record."""
        from handlerkit.events.kpl import MAGIC_BASE64, user_records

        raws: list[dict[str, Any]] = []
        unreadable: dict[int, Exception] = {}
        for raw in self._raws(event):
            data = _inner(raw, "kinesis").get("data")
            if type(data) is str and data.startswith(MAGIC_BASE64):
                try:
                    raws += user_records(raw)
                except ValueError as error:
                    unreadable[len(raws)] = error
                    raws.append(raw)
            else:
                raws.append(raw)
        inner = [_inner(raw, "kinesis") for raw in raws]
        identifiers = _texts(self.name, inner, "sequenceNumber")
        keys = [str(one.get("partitionKey")) for one in inner] if by_key else None
        found = Found(self, event, raws, identifiers, keys)
        found.unreadable = unreadable
        return found


class DynamoDB(Source):
    """DynamoDB Streams."""

    name, module, kind = "dynamodb", "dynamodb", "dynamodb_stream"

    def find(self, event: dict[str, Any], by_key: bool) -> Found:
        """Changes, sequence numbers, the item's key."""
        raws = self._raws(event)
        inner = [_inner(raw, "dynamodb") for raw in raws]
        identifiers = _texts(self.name, inner, "SequenceNumber")
        keys = [_item_key(one.get("Keys")) for one in inner] if by_key else None
        return Found(self, event, raws, identifiers, keys)


def _item_key(keys: Any) -> Hashable:
    return repr(sorted(keys.items())) if isinstance(keys, dict) else ""


class Kafka(Source):
    """Kafka, Amazon's and others: lists of records by partition."""

    name, module, kind = "kafka", "kafka", "kafka"
    container = "records"

    def find(self, event: dict[str, Any], by_key: bool) -> Found:
        """Records, their partition and offset as an object, their partition."""
        del by_key
        partitions = event.get("records")
        if not isinstance(partitions, dict):
            raise _not_a_batch(self.name, "no object of records", event)
        raws: list[dict[str, Any]] = []
        identifiers: list[Any] = []
        keys: list[Hashable] = []
        for partition, some in partitions.items():
            for raw in some if isinstance(some, list) else [some]:
                offset = raw.get("offset") if type(raw) is dict else None
                if type(offset) is not int or not partition:
                    raise UntrustedBatchError(f"{self.name}: a record without partition and offset cannot be named")
                raws.append(raw)
                identifiers.append({"partition": partition, "offset": offset})
                keys.append(partition)
        return Found(self, event, raws, identifiers, keys)

    def where(self, found: Found) -> str:
        """The cluster, or the topic of the first record."""
        return str(found.event.get("eventSourceArn") or "") or str(found.raws[0].get("topic") if found.raws else "")


class Firehose(Source):
    """A transformation for Firehose: each record gets its answer, and none is brought again."""

    name, module, kind = "firehose", "firehose", "firehose"
    family, container = "firehose", "records"
    brings_again = raises_when_all_failed = False

    def find(self, event: dict[str, Any], by_key: bool) -> Found:
        """Records and their ids, each of which the answer must name once."""
        del by_key
        raws = self._raws(event)
        identifiers = _texts(self.name, raws, "recordId")
        if len(set(identifiers)) != len(identifiers):
            raise UntrustedBatchError(f"{self.name}: two records with one recordId cannot both be answered")
        return Found(self, event, raws, identifiers)

    def where(self, found: Found) -> str:
        """The delivery stream."""
        return str(found.event.get("deliveryStreamArn") or "")


class S3Batch(Source):
    """S3 Batch Operations: each task gets its result. An exception would fail it for good, so none is raised."""

    name, module, kind = "s3_batch", "s3_batch", "s3_batch"
    family, container = "s3_batch", "tasks"
    raises_when_all_failed = False

    def find(self, event: dict[str, Any], by_key: bool) -> Found:
        """Tasks and their ids."""
        del by_key
        raws = self._raws(event)
        return Found(self, event, raws, _texts(self.name, raws, "taskId"))

    def where(self, found: Found) -> str:
        """The job."""
        return str(_inner(found.event, "job").get("id") or "")


SQS, SQS_FIFO = Sqs(), SqsFifo()
SOURCES: tuple[Source, ...] = (SQS, Kinesis(), DynamoDB(), Kafka(), Firehose(), S3Batch())


def source_of_view(kind: type) -> Source | None:
    """The source whose records a view class, or one derived from it, shows."""
    for one in kind.__mro__:
        package, _, module = one.__module__.rpartition(".")
        if package.endswith("handlerkit.events"):
            for source in SOURCES:
                if source.module == module:
                    return source
    return None


def found_in(event: Any, expected: tuple[Source, ...], by_key: bool) -> Found:
    """The records of an event, which is of one of the sources expected (of any, if none is).

    Raises `EventValidationError` for an event of another kind, `UntrustedBatchError` for a record without identity,
    `ValueError` where order by key is asked of a source that has none.
    """
    wanted = expected or SOURCES
    kind = outer_kind(event) if isinstance(event, dict) else "unknown"
    for source in wanted:
        if kind == source.name or is_of_kind(kind, (source.kind,)):
            break
    else:
        source = _only_one_possible(event, kind, expected)
    found = source.find(event, by_key)
    if by_key:
        policy_for(found.source.name, by_key, repeats_are_safe=False)  # before anything runs: it may have no keys
    return found


def _only_one_possible(event: Any, kind: str, expected: tuple[Source, ...]) -> Source:
    """The source that says itself what is wrong with the event, or that it is an empty batch."""
    wanted = expected or SOURCES
    names = " or ".join(source.kind for source in wanted)
    if not isinstance(event, dict):
        raise _not_a_batch(names, "not a JSON object", event)
    if kind != "unknown":
        raise EventValidationError(names, (Problem("", f"the event is of another kind, {kind[:100]}"),))
    if len(expected) == 1 or event.get("Records") == []:
        return wanted[0]
    raise _not_a_batch(names, "not a batch of a known source", event)


def _texts(source: str, objects: list[dict[str, Any]], key: str) -> list[str]:
    identifiers = [one.get(key) for one in objects]
    if not set(map(type, identifiers)) <= _TEXT or "" in identifiers:
        raise UntrustedBatchError(f"{source}: a record without {key} cannot be named in a response")
    return identifiers  # type: ignore[return-value]  # just checked


_TEXT, _OBJECT = {str}, {dict}


def _inner(raw: dict[str, Any], key: str) -> dict[str, Any]:
    inner = raw.get(key)
    return inner if isinstance(inner, dict) else {}


def _not_a_batch(source: str, reason: str, event: Any) -> EventValidationError:
    return EventValidationError(source, (Problem("", reason, shortened(event)),))
