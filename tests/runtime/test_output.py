"""The log's descriptor: whole records whatever the kernel takes at once, and a place to write in any case."""

import io
import posix
from collections.abc import Callable

import pytest

from runtime.output import Output
from tests.runtime.conftest import Serve, Start
from tests.runtime.platform import Platform, event


def test_a_record_of_which_the_kernel_takes_a_part_is_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = posix.pipe()
    write: Callable[[int, bytes], int] = posix.write
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}", io.StringIO())  # else they would be configured for a function's process
    monkeypatch.setattr(posix, "write", lambda descriptor, data: write(descriptor, data[:7]))
    Output(json=False, levelled=False, descriptor=str(writing)).record("a record of some length", 20)
    posix.close(writing)
    data = posix.read(reading, 1000)
    posix.close(reading)
    assert data[16:] == b"a record of some length"
    assert int.from_bytes(data[4:8], "big") == 23


@pytest.mark.parametrize("descriptor", ["9" * 30, "-1", "\u0667"])
def test_a_telemetry_descriptor_that_can_be_none_sends_the_log_to_stdout(serve: Serve, descriptor: str) -> None:
    code = "def handler(event, context): raise ValueError('boom')\n"
    assert "ValueError: boom" in serve(code, b"{}", env={"_LAMBDA_TELEMETRY_LOG_FD": descriptor}).stdout


def test_without_standard_output_the_log_goes_to_standard_error(start: Start, platform: Platform) -> None:
    platform.deliver(event())
    served = start("def handler(event, context): raise ValueError('boom')\n", preexec_fn=lambda: posix.close(1))
    served.wait_for_answers(1)
    assert "ValueError: boom" in served.terminate().stderr
