"""A trace as a tree: documents joined by their ids, as X-Ray's service joins them, in whatever order they came."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Trace", "TraceNode"]


@dataclass(frozen=True, slots=True)
class TraceNode:
    """A segment or subsegment with what is inside of it, by time of their beginning."""

    document: dict[str, Any]
    children: list["TraceNode"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of the piece of work."""
        return str(self.document.get("name", ""))

    @property
    def duration_ms(self) -> float | None:
        """None for one that was never ended."""
        if "end_time" not in self.document:
            return None
        return float(self.document["end_time"] - self.document["start_time"]) * 1000

    @property
    def annotations(self) -> dict[str, Any]:
        """As they were sent."""
        return dict(self.document.get("annotations", {}))

    def walk(self) -> Iterator["TraceNode"]:
        """This one and all below, from the top."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Trace:
    """What has arrived of one trace so far."""

    trace_id: str
    documents: tuple[dict[str, Any], ...]
    """As they were sent; of an announced piece of work only the last word."""

    @property
    def roots(self) -> list[TraceNode]:
        """The trees: one, unless documents are missing."""
        nodes: dict[str, TraceNode] = {}
        parents: list[tuple[TraceNode, str | None]] = []
        for document in sorted(self.documents, key=_beginning):
            node = TraceNode(document)
            nodes[document["id"]] = node
            parents.append((node, document.get("parent_id")))
            parents += _embedded(node)
        roots = []
        for node, parent_id in parents:
            around = nodes.get(parent_id or "")
            if around is None or around is node:
                roots.append(node)
            else:
                around.children.append(node)
        for node in nodes.values():
            node.children.sort(key=lambda child: _beginning(child.document))
        return roots

    def find(self, name: str) -> TraceNode:
        """The first piece of work of that name. Raises `KeyError` with the names that there are."""
        names = []
        for root in self.roots:
            for node in root.walk():
                if node.name == name:
                    return node
                names.append(node.name)
        raise KeyError(f"no {name!r} in the trace: it has {names}")

    def lines(self) -> list[str]:
        """The trees as text: a line for each piece of work, with its duration, its annotations, and what failed."""
        return [f"trace {self.trace_id}", *(line for root in self.roots for line in _lines(root, "", ""))]


def _embedded(node: TraceNode) -> list[tuple[TraceNode, str | None]]:
    """What a document carries inside itself has the document's id as its parent."""
    found: list[tuple[TraceNode, str | None]] = []
    for document in node.document.get("subsegments", []):
        child = TraceNode(document)
        found += [(child, node.document["id"]), *_embedded(child)]
    return found


def _beginning(document: dict[str, Any]) -> float:
    return float(document.get("start_time", 0))


def _lines(node: TraceNode, first: str, rest: str) -> Iterable[str]:
    document = node.document
    said = [f"{first}{node.name}"]
    if "origin" in document:
        said[0] += f" ({document['origin']})"
    said.append("still running" if node.duration_ms is None else f"{node.duration_ms:.1f} ms")
    said += [f"{key}={_shown(value)}" for key, value in node.annotations.items()]
    said += [flag for flag in ("fault", "error", "throttle") if document.get(flag)]
    if isinstance(cause := document.get("cause"), dict) and cause.get("exceptions"):
        exception = cause["exceptions"][0]
        said.append(f"{exception.get('type', '')}: {exception.get('message', '')}".splitlines()[0][:200])
    yield "  ".join(said)
    for position, child in enumerate(node.children):
        is_last = position == len(node.children) - 1
        yield from _lines(child, rest + ("└─ " if is_last else "├─ "), rest + ("   " if is_last else "│  "))


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
