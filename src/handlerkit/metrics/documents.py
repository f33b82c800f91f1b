"""Documents of the embedded metric format. Values in, lines out; knows no clock and no invocation.

What does not fit into one document goes into another: metrics beyond 100, values of one metric beyond 100, a metric
whose name is there with another unit, bytes beyond what a log event may have. Nothing is dropped but properties that
are larger than a whole event.
"""

from __future__ import annotations

from handlerkit.tolerant_json import encode, plain, quote

from .checks import MAX_DIMENSIONS

__all__ = ["MAX_BYTES", "Destination", "documents_of", "property_text"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    Series = tuple[str, str, int]
    """A metric's name, unit and resolution in seconds."""

MAX_METRICS = 100
MAX_VALUES = 100
# What CloudWatch Logs took of one event until April 2025; it is 1 MB since.
MAX_BYTES = 262_144
MAX_PROPERTY = 50_000


class Destination:
    """Where metrics go: namespace, dimension sets with the values of all their names, properties, time.

    Two that are the same are equal, and their metrics share documents. `timestamp_ms` None is the time of writing.
    """

    __slots__ = ("_hash", "_key", "dimensions", "namespace", "properties", "sets", "timestamp_ms")

    def __init__(
        self,
        namespace: str,
        sets: Sequence[Mapping[str, str]],
        properties: Mapping[str, str],
        timestamp_ms: int | None = None,
    ) -> None:
        self.namespace = namespace
        self.sets = tuple(piece for names in sets for piece in _pieces(tuple(names)))
        self.dimensions: dict[str, str] = {}
        for values in sets:
            self.dimensions |= values
        self.properties = dict(properties)
        self.timestamp_ms = timestamp_ms
        self._key = (
            namespace,
            self.sets,
            tuple(self.dimensions.items()),
            tuple(self.properties.items()),
            timestamp_ms,
        )
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Destination) and self._key == other._key)


def _pieces(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not names:
        yield ()
    for start in range(0, len(names), MAX_DIMENSIONS):
        yield names[start : start + MAX_DIMENSIONS]


def property_text(value: Any) -> str:
    """A property's value as JSON, whatever it is; one that would fill a document is replaced by a mark."""
    text = encode(plain(value))
    return text if len(text) <= MAX_PROPERTY else quote(f"[{len(text)} characters, left out]")


def documents_of(
    destination: Destination,
    series: Mapping[Series, Sequence[float]],
    now_ms: int,
    properties: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Iterator[str]:
    """The documents that hold these values, each one line of JSON. `properties` are texts of JSON by name."""
    own = {**(properties or {}), **destination.properties}
    for metrics in _distributed(series):
        yield from _within(destination, metrics, now_ms, own, max_bytes)


def _distributed(series: Mapping[Series, Sequence[float]]) -> list[dict[str, tuple[str, int, Any]]]:
    """Metrics by document: no name twice, none with too many values, none of the documents with too many names."""
    documents: list[dict[str, tuple[str, int, Any]]] = [{}]
    first = 0
    """All before it are full."""
    for (name, unit, resolution), values in series.items():
        at = first
        for start in range(0, len(values), MAX_VALUES):
            while at < len(documents) and (name in documents[at] or len(documents[at]) >= MAX_METRICS):
                at += 1
            if at == len(documents):
                documents.append({})
            piece = values if len(values) <= MAX_VALUES else values[start : start + MAX_VALUES]
            documents[at][name] = (unit, resolution, piece)
        while first < len(documents) and len(documents[first]) >= MAX_METRICS:
            first += 1
    return documents


def _within(
    destination: Destination,
    metrics: dict[str, tuple[str, int, Any]],
    now_ms: int,
    properties: dict[str, str],
    max_bytes: int,
) -> Iterator[str]:
    text = _document(destination, metrics, now_ms, properties)
    if len(text) * 4 <= max_bytes or len(text.encode("utf-8", "backslashreplace")) <= max_bytes:
        yield text
    elif len(metrics) > 1:
        names = list(metrics)
        half = len(names) // 2
        for part in (names[:half], names[half:]):
            yield from _within(destination, {name: metrics[name] for name in part}, now_ms, properties, max_bytes)
    else:
        left_out = {"properties_left_out": str(len(properties))}
        yield _document(destination, metrics, now_ms, left_out)


def _document(
    destination: Destination, metrics: dict[str, tuple[str, int, Any]], now_ms: int, properties: dict[str, str]
) -> str:
    definitions = ",".join(
        f'{{"Name":{quote(name)},"Unit":"{unit}"}}'
        if resolution == 60
        else f'{{"Name":{quote(name)},"Unit":"{unit}","StorageResolution":{resolution}}}'
        for name, (unit, resolution, _) in metrics.items()
    )
    timestamp_ms = now_ms if destination.timestamp_ms is None else destination.timestamp_ms
    directive = (
        f'{{"Namespace":{quote(destination.namespace)},"Dimensions":{encode(destination.sets)},'
        f'"Metrics":[{definitions}]}}'
    )
    pieces = [f'{{"_aws":{{"Timestamp":{timestamp_ms},"CloudWatchMetrics":[{directive}]}}']
    if destination.dimensions:
        pieces.append(encode(destination.dimensions)[1:-1])
    for name, text in properties.items():
        while name in metrics or name in destination.dimensions or name == "_aws":
            name += "_"  # a property must not stand in the place of a metric
        pieces.append(f"{quote(name)}:{text}")
    pieces.append(
        encode({name: values[0] if len(values) == 1 else values for name, (_, _, values) in metrics.items()})[1:]
    )
    return ",".join(pieces)
