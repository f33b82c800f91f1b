"""Documents of the embedded metric format. Values in, lines out; knows no clock and no invocation.

What does not fit into one document goes into another: metrics beyond 100, values of one metric beyond 100, a metric
whose name is there with another unit, bytes beyond what a log event may have. Nothing is dropped but properties that
are larger than a whole event.
"""

from __future__ import annotations

from handlerkit.tolerant_json import encode, plain, quote

from .checks import MAX_DIMENSIONS

__all__ = ["MAX_BYTES", "Destination", "documents_of", "property_text", "series_of"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    Series = tuple[str, str, int, str]
    """A metric's name, unit, resolution in seconds, and its definition as JSON: see `series_of`."""
    Metrics = dict[str, tuple[str, Sequence[float]]]
    """Definition and values by name."""

MAX_METRICS = 100
MAX_VALUES = 100
# What CloudWatch Logs took of one event until April 2025; it is 1 MB since.
MAX_BYTES = 262_144
MAX_PROPERTY = 50_000


class Destination:
    """Where metrics go: namespace, dimension sets with the values of all their names, properties, time.

    Two that are the same are equal, and their metrics share documents. `timestamp_ms` None is the time of writing.
    """

    __slots__ = (
        "_hash",
        "_key",
        "dimensions",
        "dimensions_text",
        "directive",
        "namespace",
        "properties",
        "timestamp_ms",
    )

    def __init__(
        self,
        namespace: str,
        sets: Sequence[Mapping[str, str]],
        properties: Mapping[str, str],
        timestamp_ms: int | None = None,
    ) -> None:
        self.namespace = namespace
        named = tuple(piece for names in sets for piece in _pieces(tuple(names)))
        self.dimensions: dict[str, str] = {}
        for values in sets:
            self.dimensions |= values
        self.properties = dict(properties)
        self.timestamp_ms = timestamp_ms
        self.directive = (
            f'"CloudWatchMetrics":[{{"Namespace":{quote(namespace)},"Dimensions":{encode(named)},"Metrics":['
        )
        self.dimensions_text = f",{encode(self.dimensions)[1:-1]}" if self.dimensions else ""
        self._key = (
            namespace,
            named,
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


def series_of(name: str, unit: str, resolution: int) -> Series:
    """What identifies a metric under a destination, all of it checked before."""
    high = "" if resolution == 60 else f',"StorageResolution":{resolution}'
    return name, unit, resolution, f'{{"Name":{quote(name)},"Unit":"{unit}"{high}}}'


def property_text(value: Any) -> str:
    """A property's value as JSON, whatever it is; one that would fill a document is replaced by a mark."""
    text = quote(value) if type(value) is str else encode(plain(value))
    return text if len(text) <= MAX_PROPERTY else quote(f"[{len(text)} characters, left out]")


def documents_of(
    destination: Destination,
    series: Mapping[Series, Sequence[float]],
    now_ms: int,
    properties: Mapping[str, str],
    max_bytes: int = MAX_BYTES,
) -> list[str]:
    """The documents that hold these values, each one line of JSON. `properties` are texts of JSON by name."""
    own = {**properties, **destination.properties} if destination.properties else properties
    if len(series) == 1:  # as often as not
        (((name, _, _, definition), values),) = series.items()
        if len(values) <= MAX_VALUES:
            text = _document(destination, {name: (definition, values)}, now_ms, own)
            if len(text) * 4 <= max_bytes:
                return [text]
    documents: list[str] = []
    for metrics in _distributed(series):
        _add_within(documents, destination, metrics, now_ms, own, max_bytes)
    return documents


def _distributed(series: Mapping[Series, Sequence[float]]) -> list[Metrics]:
    """Metrics by document: no name twice, none with too many values, none of the documents with too many names."""
    documents: list[Metrics] = [{}]
    first = 0
    """All before it are full."""
    for (name, _, _, definition), values in series.items():
        at = first
        for start in range(0, len(values), MAX_VALUES):
            while at < len(documents) and (name in documents[at] or len(documents[at]) >= MAX_METRICS):
                at += 1
            if at == len(documents):
                documents.append({})
            piece = values if len(values) <= MAX_VALUES else values[start : start + MAX_VALUES]
            documents[at][name] = (definition, piece)
        while first < len(documents) and len(documents[first]) >= MAX_METRICS:
            first += 1
    return documents


def _add_within(
    documents: list[str],
    destination: Destination,
    metrics: Metrics,
    now_ms: int,
    properties: Mapping[str, str],
    max_bytes: int,
) -> None:
    """Add one document, or as many as it takes to stay within the limit."""
    if not metrics:
        return
    text = _document(destination, metrics, now_ms, properties)
    if len(text) * 4 <= max_bytes or len(text.encode("utf-8", "backslashreplace")) <= max_bytes:
        documents.append(text)
    elif len(metrics) > 1:
        names = list(metrics)
        half = len(names) // 2
        for part in (names[:half], names[half:]):
            some = {name: metrics[name] for name in part}
            _add_within(documents, destination, some, now_ms, properties, max_bytes)
    else:
        left_out = {"properties_left_out": str(len(properties))}
        documents.append(_document(destination, metrics, now_ms, left_out))


def _document(destination: Destination, metrics: Metrics, now_ms: int, properties: Mapping[str, str]) -> str:
    timestamp_ms = now_ms if destination.timestamp_ms is None else destination.timestamp_ms
    if len(metrics) == 1:
        ((name, (definitions, values)),) = metrics.items()
        held = f"{quote(name)}:{values[0]!r}}}" if len(values) == 1 else f"{quote(name)}:{encode(values)}}}"
    else:
        definitions = ",".join([definition for definition, _ in metrics.values()])
        held = encode({name: one if len(one) > 1 else one[0] for name, (_, one) in metrics.items()})[1:]
    beside = ""
    for name, text in properties.items():
        while name in metrics or name in destination.dimensions:
            name += "_"  # a property must not stand in the place of a metric
        beside += f",{quote(name)}:{text}"
    return (
        f'{{"_aws":{{"Timestamp":{timestamp_ms},{destination.directive}{definitions}]}}]}}'
        f"{destination.dimensions_text}{beside},{held}"
    )
