"""The sample events, as their index names them, and the views that stand for the kinds."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from handlerkit import events
from handlerkit.events.descriptor import Field
from handlerkit.events.kinds import is_of_kind
from handlerkit.events.view import View

ROOT = Path(__file__).parents[1] / "events"


class Sample:
    """One event: `kind` is what detection must answer, `is_response` marks what functions return.

    Its text is a file's, or given: `variants/` holds many in one file.
    """

    def __init__(self, name: str, kind: str, text: bytes | None = None) -> None:
        self.name = name
        self._text = text
        self.is_response = kind.startswith("response:")
        self.kind = "unknown" if kind.endswith("(opaque)") else kind

    def __repr__(self) -> str:
        return self.name

    @property
    def body(self) -> bytes:
        return (ROOT / self.name).read_bytes() if self._text is None else self._text

    def parsed(self) -> Any:
        return json.loads(self.body)


def _index() -> list[Sample]:
    rows = re.findall(r"^\| (\S+\.json) \| (.+?) \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    return [Sample(name, kind) for name, kind in rows]


def _variants() -> list[Sample]:
    """Events composed after each source's documented variants, quirks and reported bugs: by `kind | what it is`."""
    found = []
    for path in sorted((ROOT / "variants").glob("*.json")):
        for title, event in json.loads(path.read_text("utf-8")).items():
            kind, _, what = title.partition(" | ")
            found.append(Sample(f"{path.stem}/{kind} {what}", kind, json.dumps(event, ensure_ascii=False).encode()))
    return found


FILES = [sample for sample in _index() if not sample.is_response]
"""Those recorded or published, a file each."""

SAMPLES = [*FILES, *_variants()]


@cache
def event_views() -> tuple[type[View], ...]:
    """Every exported view of a whole event, the most special kinds first."""
    exported = [getattr(events, name) for name in events.__all__]
    views = [one for one in exported if isinstance(one, type) and issubclass(one, View) and one.kinds]
    return tuple(sorted(views, key=lambda view: -max(map(len, view.kinds))))


def view_for(sample: Sample) -> type[View] | None:
    """The exported view for a sample's outer kind."""
    for view in event_views():
        if is_of_kind(sample.kind, view.kinds) and view is not events.SnsNotification:
            return view
    return None


def read_all(view: View) -> int:
    """Read every declared field and property, nested views too; the number of reads. A repr must work as well."""
    assert len(repr(view)) < 500
    reads = 0
    names = [name for name in dir(type(view)) if not name.startswith("_") and is_read(getattr(type(view), name))]
    for name in names:
        reads += 1
        reads += read_value(getattr(view, name))
    return reads


def read_value(value: Any) -> int:
    if isinstance(value, View):
        return read_all(value)
    if isinstance(value, tuple):
        return sum(map(read_value, value))
    if isinstance(value, dict):
        return sum(map(read_value, value.values()))
    return 0


def is_read(attribute: Any) -> bool:
    return isinstance(attribute, (Field, property))
