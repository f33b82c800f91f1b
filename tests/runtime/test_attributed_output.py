"""Printed lines as records, each under its own invocation's request id."""

import contextlib
import contextvars
import io
import json
import sys
from collections.abc import Iterator

import pytest

from runtime import attributed_output
from runtime.invocation import Invocation, current


class Log:
    """An output that keeps its records."""

    def __init__(self, json_format: bool) -> None:
        self.json = json_format
        self.records: list[str] = []

    def present(self) -> Invocation | None:
        return current.get(None)

    def record(self, text: str, level: int) -> None:
        assert level == 20
        self.records.append(text)


@contextlib.contextmanager
def attributed(log_format: str) -> Iterator[Log]:
    """A log that standard output and error lead to. Not a fixture: pytest sets the streams anew for each phase."""
    former = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in former)
    log = Log(log_format == "JSON")
    try:
        attributed_output.install(log)  # type: ignore[arg-type]
        attributed_output.install(log)  # type: ignore[arg-type]  # a second time changes nothing
        yield log
    finally:
        sys.stdout, sys.stderr = former


def lines(log: Log) -> list[tuple[str, str]]:
    """Request id and text of each record."""
    if not log.json:
        return [(record.split("\t")[2], record.split("\t")[3]) for record in log.records]
    values = [json.loads(record) for record in log.records]
    return [(value.get("requestId", ""), value["message"]) for value in values]


def context_of(request_id: str, tenant: str = "") -> contextvars.Context:
    """A context in which this invocation is served."""
    context = contextvars.Context()
    headers = {"lambda-runtime-aws-request-id": request_id, "lambda-runtime-aws-tenant-id": tenant}
    context.run(current.set, Invocation(headers, b""))
    return context


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_unfinished_lines_of_different_invocations_do_not_mix(log_format: str) -> None:
    with attributed(log_format) as log:
        first, second = context_of("id-1"), context_of("id-2")
        first.run(print, "one ", end="")
        second.run(print, "two ", end="")
        print("nobody's ", end="")
        first.run(print, "1\nmore 1")
        second.run(print, "2")
        print("0")
        assert lines(log) == [("id-1", "one 1"), ("id-1", "more 1"), ("id-2", "two 2"), ("", "nobody's 0")]


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_what_is_unfinished_is_sent_off_once_by_a_flush_in_its_own_context(log_format: str) -> None:
    with attributed(log_format) as log:
        first, second = context_of("id-1"), context_of("id-2")
        first.run(print, "rest", end="")
        second.run(sys.stdout.flush)
        assert log.records == []
        first.run(sys.stdout.flush)
        first.run(sys.stdout.flush)
        assert lines(log) == [("id-1", "rest")]
        first.run(print, "line")
        assert lines(log)[1:] == [("id-1", "line")]


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_each_line_is_one_record_and_standard_error_is_separate(log_format: str) -> None:
    with attributed(log_format) as log:
        assert sys.stdout.write("a\nb\n\nc") == 6
        print("error", file=sys.stderr)
        sys.stdout.write("\n")
        assert [text for _, text in lines(log)] == ["a", "b", "", "error", "c"]


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_a_record_names_the_tenant_where_there_is_one(log_format: str) -> None:
    with attributed(log_format) as log:
        context_of("id-1", "tenant-1").run(print, "mine")
        context_of("id-2").run(print, "nobody's")
        if log.json:
            first, second = (json.loads(record) for record in log.records)
            assert (first["tenantId"], first["level"]) == ("tenant-1", "INFO")
            assert "tenantId" not in second
        else:
            assert [record.split("\t")[0] for record in log.records] == ["[INFO]", "[INFO]"]


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_the_stream_behind_is_still_to_be_had(log_format: str) -> None:
    with attributed(log_format) as log:
        assert sys.stdout.encoding == "utf-8"
        assert sys.stdout.writable()
        sys.stdout.buffer.write(b"bytes pass by")
        assert log.records == []
        with pytest.raises(io.UnsupportedOperation):
            sys.stdout.fileno()  # this test's own stream has none
