"""Tracebacks in a function's log begin in the function."""

import pytest

from handlerkit import HttpRequest, batch_handler, http_handler, metrics
from handlerkit.own_frames import exc_info_of, without_callers
from handlerkit.testing import http_event, sqs_event


def frames_of(text: str) -> list[str]:
    """The functions that a traceback names, outermost first."""
    return [line.rpartition(" in ")[2] for line in text.splitlines() if line.startswith("  File ")]


@pytest.mark.parametrize("max_workers", [1, 2])
def test_a_failed_records_traceback_begins_in_the_function(caplog: pytest.LogCaptureFixture, max_workers: int) -> None:
    @batch_handler(max_workers=max_workers, raise_when_all_failed=False)
    def handler(record: dict[str, str]) -> None:
        raise ValueError(record["body"])

    handler(sqs_event(["too many"]))
    assert frames_of(caplog.text) == ["handler"]
    assert "ValueError: too many" in caplog.text


def test_a_failed_requests_traceback_begins_in_the_function(caplog: pytest.LogCaptureFixture) -> None:
    def look_up(path: str) -> None:
        raise KeyError(path)

    @http_handler
    def handler(request: HttpRequest) -> None:
        look_up(request.path)

    assert handler(http_event("GET", "/orders"))["statusCode"] == 500
    assert frames_of(caplog.text) == ["handler", "look_up"]


def test_an_error_of_this_package_alone_keeps_its_frames() -> None:
    with pytest.raises(ValueError, match="no unit") as raised:
        metrics.add("orders", unit="Coutn")
    inside = raised.tb.tb_next
    assert inside is not None
    assert without_callers(inside) is inside
    assert exc_info_of(TypeError("never raised"))[2] is None
