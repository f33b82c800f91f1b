"""Where settings come from, and which goes before which."""

from typing import Any

import pytest

from handlerkit.logs.settings import Settings

from .conftest import MakeLog


@pytest.mark.parametrize(
    ("environ", "options", "expected"),
    [
        ({}, {}, 20),
        ({"HANDLERKIT_LOG_LEVEL": "warn"}, {}, 30),
        ({"HANDLERKIT_LOG_LEVEL": "warn"}, {"level": "ERROR"}, 40),
        ({"AWS_LAMBDA_LOG_LEVEL": "DEBUG", "HANDLERKIT_LOG_LEVEL": "warn"}, {"level": "ERROR"}, 10),
        ({"AWS_LAMBDA_LOG_LEVEL": "TRACE"}, {}, 5),
        ({"AWS_LAMBDA_LOG_LEVEL": "FATAL"}, {}, 50),
        ({}, {"level": 25}, 25),
    ],
)
def test_the_operators_level_goes_before_the_codes(
    make_log: MakeLog, environ: dict[str, str], options: dict[str, Any], expected: int
) -> None:
    log = make_log(environ, **options)
    assert log.logger.get_effective_level() == expected
    assert log.logger.is_enabled_for(expected)
    assert not log.logger.is_enabled_for(expected - 1)


def test_a_variable_without_meaning_is_ignored_and_told_of() -> None:
    settings = Settings(
        {
            "AWS_LAMBDA_LOG_LEVEL": "LOUD",
            "HANDLERKIT_LOG_KEYS": "mine",
            "HANDLERKIT_LOG_SAMPLE_RATE": "2",
            "HANDLERKIT_LOG_DEBUG_BUFFER_BYTES": "-1",
            "HANDLERKIT_LOG_FORMAT": "xml",
        }
    )
    assert settings.effective_level == 20
    assert len(settings.complaints) == 5
    assert settings.complaints[0] == (
        "AWS_LAMBDA_LOG_LEVEL is ignored: "
        "'LOUD' is no log level: use TRACE, DEBUG, INFO, WARN, ERROR, FATAL, or a number"
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"levl": "INFO"}, TypeError, "no option 'levl'; did you mean 'level'"),
        ({"zzz": 1}, TypeError, "no option 'zzz'$"),
        ({"level": "loud"}, ValueError, "no log level"),
        ({"format": "xml"}, ValueError, "no format"),
        ({"keys": "mine"}, ValueError, "names no keys"),
        ({"sample_rate": "x"}, ValueError, "no share"),
        ({"debug_buffer_bytes": None}, ValueError, "no count of bytes"),
        ({"max_line_bytes": 10}, ValueError, "1024 at least"),
    ],
)
def test_a_wrong_argument_raises_and_changes_nothing(
    make_log: MakeLog, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    log = make_log()
    before = vars(log.pipeline.settings).copy()
    with pytest.raises(error, match=message):
        log.change(**{"service": "changed", **options})
    assert vars(log.pipeline.settings) == before


def test_a_logger_made_before_follows_later_settings(make_log: MakeLog) -> None:
    log = make_log()
    log.logger.info("before")
    log.change(service="shop", level="ERROR", fields={"team": "blue"}, keys="powertools")
    log.logger.info("not any more")
    log.logger.error("after", team="mine")
    assert [line.get("event", line.get("message")) for line in log.lines] == ["before", "after"]
    assert (log.last["service"], log.last["team"]) == ("shop", "mine")
