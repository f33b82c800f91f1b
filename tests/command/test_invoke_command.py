"""`handlerkit invoke`, as a user runs it: a process with arguments, two streams and an exit status."""

import json
import os
import platform
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from handlerkit import __version__
from runtime.protocol import MAX_REQUEST_BYTES

ROOT = Path(__file__).resolve().parents[2]


def command(
    *arguments: str, cwd: Path = ROOT, stdin: bytes | None = None, env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run the command and collect what it wrote."""
    return subprocess.run(
        [sys.executable, "-m", "lambda_emulator.cli", *arguments],
        cwd=cwd,
        input=stdin if stdin is not None else b"",
        capture_output=True,
        timeout=60,
        env={**os.environ, **(env or {})},
    )


def test_the_trace_is_a_tree_below_the_log_or_a_list_in_the_json(folder: Path) -> None:
    done = command("invoke", "app.echo", "--trace", cwd=folder)
    tree = done.stderr.decode().partition("\ntrace ")[2].splitlines()
    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", tree[0])
    assert re.fullmatch(r"function \(AWS::Lambda\)  [\d.]+ ms", tree[1])
    assert [line.split()[1] for line in tree[3:]] == ["Initialization", "Invocation", "Overhead"]
    assert done.stdout.decode() == "{}\n"
    values = json.loads(command("invoke", "app.fail", "--trace", "--json", cwd=folder).stdout)
    assert values["trace"][-1]["cause"]["exceptions"][0]["message"] == "boom"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A function's folder with one module of small handlers."""
    (tmp_path / "app.py").write_text(
        "import os, time\n"
        "def echo(event, context): print('logged'); return event\n"
        "def env(event, context): return {name: os.environ.get(name) for name in event}\n"
        "def fail(event, context): raise ValueError('boom')\n"
        "def slow(event, context): time.sleep(30)\n"
        "def raw(event, context): return b'\\x00\\xffnot json'\n"
        "def hungry(event, context): x = bytearray(300_000_000); return len(x)\n"
        "def memory(event, context): return context.memory_limit_in_mb\n"
        "def name(event, context): return context.function_name\n"
        "broken = 5\n"
    )
    return tmp_path


def test_the_response_is_on_stdout_and_the_log_on_stderr(folder: Path) -> None:
    (folder / "event.json").write_text('{"name": "Zoë"}')
    done = command("invoke", "app.echo", "--event", "event.json", cwd=folder)
    assert done.returncode == 0
    assert done.stdout.decode() == '{\n  "name": "Zoë"\n}\n'
    lines = done.stderr.decode().splitlines()
    assert lines[1].startswith("START RequestId: ")
    assert lines[2] == "logged"
    assert lines[3].startswith("END RequestId: ")
    assert re.search(r"\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t$", lines[4])


def test_the_event_may_come_from_standard_input_or_be_left_out(folder: Path) -> None:
    assert json.loads(command("invoke", "app.echo", "-e", "-", cwd=folder, stdin=b"[1]").stdout) == [1]
    assert json.loads(command("invoke", "app.echo", cwd=folder).stdout) == {}


def test_a_function_error_is_exit_status_1(folder: Path) -> None:
    done = command("invoke", "app.fail", cwd=folder)
    assert done.returncode == 1
    assert json.loads(done.stdout)["errorMessage"] == "boom"
    assert b"ValueError: boom" in done.stderr
    assert b"Status: error\tError Type: Function.ValueError" in done.stderr


def test_json_is_one_object_with_everything(folder: Path) -> None:
    done = command("invoke", "app.fail", "--json", cwd=folder)
    assert done.returncode == 1
    values = json.loads(done.stdout)
    assert done.stderr == b""
    assert values["response"]["errorType"] == "ValueError"
    assert values["functionError"] == "Unhandled"
    assert values["report"]["status"] == "error"
    assert values["report"]["errorType"] == "Function.ValueError"
    assert values["report"]["memorySizeMB"] == 128
    assert values["log"].startswith(f"START RequestId: {values['requestId']}")
    assert "INIT_START" in values["initLog"]


def test_a_response_that_is_not_json_is_shown_as_text(folder: Path) -> None:
    assert b"\\xffnot json" in command("invoke", "app.raw", cwd=folder).stdout
    values = json.loads(command("invoke", "app.raw", "--json", cwd=folder).stdout)
    assert values["response"] is None
    assert "not json" in values["payload"]


def test_repeat_invokes_one_environment_and_sums_up(folder: Path) -> None:
    done = command("invoke", "app.echo", "--repeat", "25", cwd=folder)
    assert "invocations: 25\nfunction errors: 0\ncold starts: 1\n" in done.stderr.decode()
    figures = json.loads(command("invoke", "app.fail", "-n", "3", "--json", cwd=folder).stdout)["summary"]
    assert (figures["invocations"], figures["errors"], figures["coldStarts"]) == (3, 3, 1)
    assert figures["durationMs"]["min"] <= figures["durationMs"]["p50"] <= figures["durationMs"]["max"]


def test_variables_come_from_options_and_from_a_file(folder: Path) -> None:
    (folder / "vars.env").write_text("# comment\n\nexport V1='from file'\nV2=\"quoted\"\nV3=plain=with=signs\n")
    arguments = ["invoke", "app.env", "--env-file", "vars.env", "--env", "V1=option", "--env", "V4=", "-e", "-"]
    done = command(
        *arguments, cwd=folder, stdin=b'["V1", "V2", "V3", "V4", "HOME_OF_THE_SHELL"]', env={"HOME_OF_THE_SHELL": "x"}
    )
    expected = {"V1": "option", "V2": "quoted", "V3": "plain=with=signs", "V4": "", "HOME_OF_THE_SHELL": None}
    assert json.loads(done.stdout) == expected


def test_timeout_memory_and_name_are_the_functions(folder: Path) -> None:
    done = command("invoke", "app.slow", "--timeout", "1", cwd=folder)
    assert done.returncode == 1
    assert b"Task timed out after 1.00 seconds" in done.stdout
    done = command("invoke", "app.hungry", "--memory", "128", "--timeout", "20", "--json", cwd=folder)
    assert done.returncode == 1
    assert json.loads(done.stdout)["report"]["errorType"] == "Runtime.OutOfMemory"
    assert json.loads(command("invoke", "app.memory", "--memory", "512", cwd=folder).stdout) == "512"
    assert json.loads(command("invoke", "app.name", "--name", "orders", cwd=folder).stdout) == "orders"


def test_the_root_folder_can_be_elsewhere(folder: Path) -> None:
    assert command("invoke", "app.echo", "--root", str(folder)).returncode == 0


def test_log_format_and_level_are_lambdas_controls(folder: Path) -> None:
    (folder / "logs.py").write_text("import logging\ndef handler(event, context): logging.info('told')\n")
    done = command("invoke", "logs.handler", "--log-format", "json", "--log-level", "INFO", cwd=folder)
    record = next(json.loads(line) for line in done.stderr.splitlines() if b'"message"' in line)
    assert (record["message"], record["level"]) == ("told", "INFO")


WRONG = [
    (["app.echo", "--event", "nope.json"], "no event file nope.json: give a path, or - for standard input"),
    (["app.echo", "--event", "."], "cannot read the event from .: Is a directory"),
    (
        ["app.echo", "--event", "broken.json"],
        "the event in broken.json is not JSON: Expecting value (line 2, column 7)",
    ),
    (["app.echo", "--event", "nan.json"], "the event in nan.json is not JSON: NaN is no JSON value"),
    (["app.echo", "--event", "latin.json"], "the event in latin.json is not UTF-8 text (byte 1)"),
    (["app.echo", "--event", "empty.json"], "the event in empty.json is empty: an event without content is {}"),
    (["app.echo", "--event", "deep.json"], "the event in deep.json is nested too deeply"),
    (["app.echo", "--event", "large.json"], "larger than Lambda takes (6291456 bytes, synchronous)"),
    (["app.nope"], "no such handler: Handler 'nope' missing on module 'app'"),
    (["app.broken"], "Handler 'broken' on module 'app' is not callable"),
    (["nope.handler"], "no such handler: Unable to import module 'nope': No module named 'nope'"),
    (["sub/nope.handler"], "no handler sub/nope.handler: there is no sub/nope.py in "),
    (["handler"], "handler 'handler' is not written as path/module.function: there is no handler.py in "),
    (["app"], "handler 'app' is not written as path/module.function: app.py has echo, env, fail, slow, raw"),
    (["app:echo"], "handler 'app:echo' is not written as path/module.function: write app.echo"),
    (["app.py:echo"], "handler 'app.py:echo' is not written as path/module.function: write app.echo"),
    (["app.ehco"], "no such handler: Handler 'ehco' missing on module 'app'; did you mean app.echo?"),
    (["./ap.echo"], "no handler ./ap.echo: did you mean ./app.echo?"),
    (["appp.echo"], "Unable to import module 'appp': No module named 'appp'; did you mean app.echo?"),
    (["app.echo", "--env", "NOVALUE"], "--env 'NOVALUE' is no assignment: write --env NAME=VALUE"),
    (["app.echo", "--env", "AWS_REGION=x"], "reserved keys"),
    (["app.echo", "--env", "X1=" + "x" * 5000], "exceeded the 4KB limit"),
    (["app.echo", "--env-file", "nope.env"], "no file nope.env for --env-file"),
    (["app.echo", "--env-file", "broken.json"], "broken.json, line 1: expected NAME=VALUE, found '{"),
    (["app.echo", "--timeout", "901"], "--timeout 901 is not possible: use 1 to 900"),
    (["app.echo", "--memory", "64"], "--memory 64 is not possible: use 128 to 10240"),
    (["app.echo", "--root", "nowhere"], "nowhere' is no folder"),
    (["app.echo", "--env", "A=1"], "environment variable 'A' is not possible: use a letter, then one or more letters"),
    (
        ["app.echo", "--log-level", "LOUD"],
        "--log-level 'LOUD' is not possible: use TRACE, DEBUG, INFO, WARN, ERROR, FATAL",
    ),
    (["app.echo", "--name", "a b"], "--name 'a b' is not possible"),
]


@pytest.mark.parametrize(("arguments", "text"), WRONG, ids=[text[:40] for _, text in WRONG])
def test_wrong_input_is_one_clear_line_and_exit_status_2(folder: Path, arguments: list[str], text: str) -> None:
    for name, data in {
        "broken.json": b'{"a": 1,\n "b": }',
        "nan.json": b'{"a": NaN}',
        "latin.json": b'"\xe9"',
        "empty.json": b" \n",
        "deep.json": b"[" * 100_000,
        "large.json": b'"' + b"x" * MAX_REQUEST_BYTES + b'"',
    }.items():
        (folder / name).write_bytes(data)
    done = command("invoke", *arguments, cwd=folder)
    error = done.stderr.decode()
    assert text in error
    assert error.startswith("handlerkit: ")
    assert error.count("\n") == 1
    assert done.returncode == 2
    assert done.stdout == b""


def test_an_error_while_importing_the_handlers_module_is_the_functions_error(folder: Path) -> None:
    (folder / "bad.py").write_text("import not_installed\n")
    done = command("invoke", "bad.handler", cwd=folder)
    assert done.returncode == 1
    assert json.loads(done.stdout)["errorType"] == "Runtime.ImportModuleError"
    assert b"import not_installed" in done.stderr


def test_on_a_terminal_there_are_a_panel_and_a_table(folder: Path) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "lambda_emulator.cli", "invoke", "app.echo", "--repeat", "20"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(follower)
    written = b""
    while True:
        try:
            data = os.read(leader, 65536)
        except OSError:  # how Linux says that the other side has closed
            break
        if not data:
            break
        written += data
    os.close(leader)
    assert process.wait(30) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.decode())
    assert "╭─ response" in text
    assert "invocations      20" in text


def test_without_the_extra_the_command_names_it() -> None:
    code = "import sys; sys.modules['typer'] = None\nfrom lambda_emulator.cli import main\nmain()\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "the handlerkit command needs typer, which is not installed: pip install 'handlerkit[emulator]'\n"
    )


def test_the_version_is_told_with_pythons() -> None:
    done = command("--version")
    assert done.stdout.decode() == f"handlerkit {__version__}, Python {platform.python_version()}\n"
    assert (done.stderr, done.returncode) == (b"", 0)


def test_help_lists_the_options() -> None:
    done = command("invoke", "--help", env={"COLUMNS": "200", "TERM": "dumb"})
    for option in ("--event", "--timeout", "--memory", "--env", "--env-file", "--repeat", "--json"):
        assert option in done.stdout.decode()
