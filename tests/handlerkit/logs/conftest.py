"""A logger whose lines can be read, without touching the process's own."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from handlerkit.logs.lines import Lines
from handlerkit.logs.logger import Logger
from handlerkit.logs.settings import Settings


class Log:
    """A logger and what it has written."""

    def __init__(self, environ: dict[str, str], **options: Any) -> None:
        self.stream = io.StringIO()
        settings = Settings(environ)
        settings.change({"stream": self.stream, **options})
        self.pipeline = Lines(settings)
        self.logger = Logger(self.pipeline, "app")

    def change(self, **options: Any) -> None:
        """What `configure` does."""
        self.pipeline.settings.change(options)
        self.pipeline.apply(self.pipeline.settings)

    @property
    def text(self) -> str:
        """All that was written."""
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line, parsed as strict JSON."""
        return [json.loads(line, parse_constant=_refuse) for line in self.text.split("\n")[:-1]]

    @property
    def last(self) -> dict[str, Any]:
        """The last line."""
        return self.lines[-1]


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


MakeLog = Callable[..., Log]


@pytest.fixture
def make_log() -> MakeLog:
    """A log with this environment and these options."""
    return lambda environ=None, **options: Log(environ or {}, **options)


@pytest.fixture
def log() -> Log:
    """A log as it is by default."""
    return Log({})
