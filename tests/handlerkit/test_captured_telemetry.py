"""What a unit test sees of logs and metrics."""

import pytest

from handlerkit import event_handler, get_logger, metrics
from handlerkit.logs.process import process_lines
from handlerkit.metrics.process import process_metrics
from handlerkit.testing import FakeContext, captured_logs, captured_metrics


@event_handler
def handler(event: dict[str, int]) -> None:
    get_logger("app").debug("detail")
    get_logger("app").info("order", n=event["n"])
    metrics.add("orders", event["n"])


def test_lines_and_documents_are_values_and_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    with captured_logs() as lines, captured_metrics() as documents:
        handler({"n": 5}, FakeContext(aws_request_id="r-1"))
    assert [(line["event"], line["n"], line["request_id"]) for line in lines] == [("order", 5, "r-1")]
    assert [document["orders"] for document in documents] == [5]
    assert capsys.readouterr() == ("", "")


def test_a_level_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_lines().settings, "platform_level", 40)
    with captured_logs("DEBUG") as lines:
        handler({"n": 5})
    assert [line["event"] for line in lines] == ["detail", "order"]
    assert process_lines().level == 40
    process_lines().settings.platform_level = None
    process_lines().apply(process_lines().settings)


def test_afterwards_all_is_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    settings = process_lines().settings
    before = dict(vars(settings))
    with pytest.raises(ValueError, match="inside"), captured_logs("ERROR"), captured_metrics():
        raise ValueError("inside")
    assert vars(settings) == before
    assert process_metrics().settings.stream is None
    handler({"n": 6})
    assert capsys.readouterr().out.count("\n") == 2
