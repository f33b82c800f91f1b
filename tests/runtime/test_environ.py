"""What the environment's variables mean, and which of them are refused."""

import pytest

from runtime.environ import SettingError, Settings


@pytest.mark.parametrize(
    ("text", "count"), [(None, None), ("8", 8), ("1", 1), ("0", 1), ("", 1), ("many", 1), ("-3", 1), ("\u0663", 1)]
)
def test_the_presence_of_the_concurrency_variable_switches_it_on(text: str | None, count: int | None) -> None:
    assert Settings({} if text is None else {"AWS_LAMBDA_MAX_CONCURRENCY": text}).max_concurrency == count


def test_our_own_variables_have_defaults_and_take_any_case() -> None:
    for text in ("", "processes", "PROCESSES"):
        assert Settings({"HANDLERKIT_CONCURRENCY": text}).concurrency == "processes"
    assert Settings({"HANDLERKIT_CONCURRENCY": "AsyncIO"}).concurrency == "asyncio"
    assert Settings({}).preload
    assert not Settings({"HANDLERKIT_PRELOAD": "0"}).preload


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("HANDLERKIT_CONCURRENCY", "fibers", "is 'fibers': use one of processes, threads, asyncio"),
        ("HANDLERKIT_PRELOAD", "yes", "is 'yes': use one of 1, 0"),
    ],
)
def test_an_unknown_value_of_ours_is_refused_with_the_known_ones(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Settings({name: value})
