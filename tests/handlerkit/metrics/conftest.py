"""Metrics whose documents can be read, each checked against the format's schema, without touching the process's own."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from handlerkit.metrics import Metrics
from handlerkit.metrics.process import Process
from handlerkit.metrics.settings import Settings

from .schema import checked


class Log:
    """A `Metrics` and what it has written."""

    def __init__(self, environ: dict[str, str], **options: Any) -> None:
        self.stream = io.StringIO()
        settings = Settings(environ)
        settings.change({"stream": self.stream, **options})
        self.process = Process(settings)
        self.metrics = Metrics(process=self.process)

    @property
    def text(self) -> str:
        """All that was written."""
        return self.stream.getvalue()

    @property
    def documents(self) -> list[dict[str, Any]]:
        """Every document, as the specification has it."""
        return [checked(line) for line in self.text.split("\n")[:-1]]

    @property
    def values(self) -> list[tuple[str, str, str, float]]:
        """Every single value: namespace, dimensions as text, name, value."""
        return [value for document in self.documents for value in values_of(document)]


def values_of(document: dict[str, Any]) -> list[tuple[str, str, str, float]]:
    """What CloudWatch makes of one document: a value for every dimension set that it is under."""
    found = []
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = json.dumps({name: document[name] for name in names}, sort_keys=True)
            for metric in directive["Metrics"]:
                held = document[metric["Name"]]
                values = held if isinstance(held, list) else [held]
                found += [(directive["Namespace"], dimensions, metric["Name"], value) for value in values]
    return found


MakeLog = Callable[..., Log]


@pytest.fixture
def make_log() -> MakeLog:
    """Metrics with this environment and these options."""
    return lambda environ=None, **options: Log(environ or {}, **options)


@pytest.fixture
def log() -> Log:
    """Metrics of a service named shop."""
    return Log({"HANDLERKIT_SERVICE": "shop"})
