"""The resources of a TOML project: those with a section of their own, and those that a function only names."""

from collections.abc import Mapping
from typing import Any, Final

from lambda_emulator.project import Resource, ResourceKind, WrongProject, hole, nearest
from lambda_emulator.sam_events import Found
from lambda_emulator.sam_properties import Properties

__all__ = ["TomlResources"]

_KINDS: Final[dict[str, ResourceKind]] = {
    "queues": "queue",
    "topics": "topic",
    "streams": "stream",
    "tables": "table",
    "buckets": "bucket",
    "buses": "bus",
}
_QUEUE: Final = {
    "visibility_timeout_s": "VisibilityTimeout",
    "delay_s": "DelaySeconds",
    "retention_s": "MessageRetentionPeriod",
    "maximum_message_bytes": "MaximumMessageSize",
}
_VIEWS: Final = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
# As Lambda's documentation advises: six times the function's timeout, so that a batch is not received twice.
_VISIBILITY_TIMEOUTS: Final = 6
_DEFAULT_VISIBILITY_S: Final = 30
_DEFAULT_RECEIVES: Final = 3


class TomlResources:
    """Logical names are those of the sections: `queues.orders`."""

    def __init__(self, top: Properties, found: Found) -> None:
        self._top = top
        self._found = found
        self._used: dict[str, dict[str, Any]] = {}
        """Logical names with what is needed of them."""
        for section in _KINDS:
            for name in top.mapping(section):
                self._used.setdefault(f"{section}.{name}", {})

    def queue(self, name: str, timeout_s: int | None) -> str:
        """The logical name of a queue, for a function of that timeout if one polls it."""
        used = self._use("queues", name)
        used["timeout_s"] = max(used.get("timeout_s", 0), timeout_s or 0)
        return f"queues.{name}"

    def table(self, name: str, *, streamed: bool) -> str:
        """The logical name of a table."""
        used = self._use("tables", name)
        used["streamed"] = used.get("streamed", False) or streamed
        return f"tables.{name}"

    def of(self, section: str, name: str) -> str:
        """The logical name of any other."""
        self._use(section, name)
        return f"{section}.{name}"

    def refer(self, section: str, name: str, where: str) -> str:
        """The logical name of something that is there by a section, or because functions use it."""
        if section == "functions":
            functions = self._top.mapping("functions")
            if name not in functions:
                raise WrongProject(f"{where} leads nowhere{nearest(name, functions)}")
            return f"functions.{name}"
        return self.of(section, name)

    def destination(self, given: Properties, name: str) -> str | None:
        """The ARN of `queues.failed`, `topics.news` or `functions.other`."""
        text = given.text(name)
        if text is None or text.startswith("arn:"):
            return text
        section, _, rest = text.partition(".")
        if section not in ("queues", "topics", "functions", "buses") or not rest:
            raise WrongProject(
                f"{given.where}: {name} {text!r} is no destination: write such as queues.failed, or an ARN"
            )
        return hole(self.refer(section, rest, f"{given.where}: {name}"), "Arn")

    def finish(self) -> None:
        """Put all of them among what has been found."""
        done: set[str] = set()
        while left := [logical for logical in self._used if logical not in done]:
            for logical in left:  # a queue may name another one, its dead letters'
                done.add(logical)
                section, _, name = logical.partition(".")
                given = Properties(self._top.mapping(section), section).inner(name)
                given.where = f"[{section}.{name}]"
                make = getattr(self, f"_make_{_KINDS[section]}")
                request, name = make(name, given, self._used[logical])
                self._found.resources.append(
                    Resource(kind=_KINDS[section], logical=logical, name=name, request=request, where=given.where)
                )

    def _use(self, section: str, name: str) -> dict[str, Any]:
        return self._used.setdefault(f"{section}.{name}", {})

    def _make_queue(self, name: str, given: Properties, used: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        given.only((*_QUEUE, "fifo", "content_based_deduplication", "dead_letter_queue", "max_receive_count"))
        attributes: dict[str, Any] = {
            theirs: str(given.number(ours)) for ours, theirs in _QUEUE.items() if ours in given
        }
        if "visibility_timeout_s" not in given:
            seconds = max(_DEFAULT_VISIBILITY_S, _VISIBILITY_TIMEOUTS * used.get("timeout_s", 0))
            attributes["VisibilityTimeout"] = str(min(seconds, 43_200))
        fifo = given.truth("fifo", default=name.endswith(".fifo"))
        if name.endswith(".fifo") and not fifo:
            raise WrongProject(f"{given.where}: fifo is false, but only the name of a FIFO queue ends in .fifo")
        if fifo:
            attributes["FifoQueue"] = "true"
            if given.truth("content_based_deduplication"):
                attributes["ContentBasedDeduplication"] = "true"
        elif "content_based_deduplication" in given:
            raise WrongProject(f"{given.where}: content_based_deduplication is for FIFO queues: add fifo = true")
        if dead_letters := given.text("dead_letter_queue"):
            if dead_letters == name:
                raise WrongProject(f"{given.where}: dead_letter_queue is the queue itself: name another one")
            target = self._dead_letters(dead_letters, fifo=fifo)
            receives = given.number("max_receive_count") or _DEFAULT_RECEIVES
            attributes["RedrivePolicy"] = {"deadLetterTargetArn": hole(target, "Arn"), "maxReceiveCount": receives}
        elif "max_receive_count" in given:
            raise WrongProject(f"{given.where}: max_receive_count needs a dead_letter_queue")
        return {"Attributes": attributes}, name if name.endswith(".fifo") or not fifo else f"{name}.fifo"

    def _dead_letters(self, name: str, *, fifo: bool) -> str:
        """A FIFO queue's dead letters go to a FIFO queue: one without a section of its own is made so."""
        section = self._top.mapping("queues").get(name)
        if fifo and not name.endswith(".fifo") and not (isinstance(section, Mapping) and section.get("fifo")):
            if section is not None:
                raise WrongProject(f"[queues.{name}] takes dead letters of a FIFO queue: add fifo = true")
            name = f"{name}.fifo"
        return self.queue(name, None)

    def _make_topic(self, name: str, given: Properties, _used: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        given.only(("fifo", "queues"))
        fifo = given.truth("fifo", default=name.endswith(".fifo"))
        for queue in given.list("queues"):
            request = {
                "TopicArn": hole(f"topics.{name}", "Arn"),
                "Protocol": "sqs",
                "Endpoint": hole(self.queue(str(queue), None), "Arn"),
                "Attributes": {},
            }
            self._found.links.append(
                Resource(kind="subscription", logical="", name=str(queue), request=request, where=given.where)
            )
        attributes = {"FifoTopic": "true"} if fifo else {}
        return {"Attributes": attributes}, name if name.endswith(".fifo") or not fifo else f"{name}.fifo"

    def _make_stream(self, name: str, given: Properties, _used: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        given.only(("shards",))
        return {"ShardCount": given.number("shards") or 1}, name

    def _make_table(self, name: str, given: Properties, used: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        given.only(("key", "sort_key", "stream", "ttl"))
        keys = [("HASH", given.text("key") or "id:S")]
        if "sort_key" in given:
            keys.append(("RANGE", given.needed("sort_key")))
        attributes, schema = [], []
        for role, key in keys:
            attribute, _, kind = key.partition(":")
            if (kind or "S") not in ("S", "N", "B"):
                raise WrongProject(f"{given.where}: {key!r} is no key: write its name, or NAME:N for a number, NAME:B")
            attributes.append({"AttributeName": attribute, "AttributeType": kind or "S"})
            schema.append({"AttributeName": attribute, "KeyType": role})
        request: dict[str, Any] = {
            "AttributeDefinitions": attributes, "KeySchema": schema, "BillingMode": "PAY_PER_REQUEST"
        }  # fmt: skip
        view = given.raw("stream")
        if view is None:
            view = bool(used.get("streamed"))
        if view is False and used.get("streamed"):
            raise WrongProject(f"{given.where}: stream is false, but a function reads it")
        if view is not False:
            view = "NEW_AND_OLD_IMAGES" if view is True else str(view)
            if view not in _VIEWS:
                raise WrongProject(f"{given.where}: stream {view!r} is not possible{nearest(view, _VIEWS)}")
            request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
        if "ttl" in given:
            request["TimeToLiveSpecification"] = {"AttributeName": given.needed("ttl"), "Enabled": True}
        return request, name

    def _make_bucket(self, name: str, given: Properties, _used: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        given.only(("versioning",))
        versioning = {"VersioningConfiguration": {"Status": "Enabled"}} if given.truth("versioning") else {}
        return dict(versioning), name

    def _make_bus(self, name: str, given: Properties, _used: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        given.only(())
        return {}, name
