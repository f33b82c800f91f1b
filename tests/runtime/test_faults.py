"""Errors as the platform and the operator see them: complete, bounded, and proof against hostile exceptions."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import faults, protocol
from runtime.errors import FunctionError
from runtime.faults import Fault
from runtime.invocation import Invocation
from tests.runtime.conftest import Serve

INVOCATION = Invocation({"lambda-runtime-aws-request-id": "id-1", "lambda-runtime-deadline-ms": "1"}, b"")


def fault_of(error: BaseException) -> Fault:
    """The fault of an error that was really raised."""
    try:
        raise error
    except BaseException as raised:
        return faults.of_invocation(raised, INVOCATION)


def test_a_chain_of_causes_is_shown_each_with_its_frames() -> None:
    def fail() -> None:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error

    try:
        fail()
    except ValueError as error:
        fault = faults.of_invocation(error, INVOCATION)
    text = "".join(fault.stack_trace)
    assert text.index("raise ValueError") < text.index("Caused by: KeyError: 'inner'") < text.index("raise KeyError")
    assert fault.error_type == "ValueError"
    cause = json.loads(fault.xray_cause or "")
    assert [item["type"] for item in cause["exceptions"]] == ["ValueError", "KeyError"]


def test_an_error_with_a_cause_and_no_frame_of_its_own_has_no_empty_traceback_in_its_record() -> None:
    error = ValueError("outer")
    error.__cause__ = KeyError("inner")
    title, *rest = faults.of_invocation(error, INVOCATION).text_record("now").splitlines()
    assert title == "[ERROR]\tnow\tid-1\tValueError: outer"
    assert rest[0] == "Caused by: KeyError: 'inner'"


def test_an_implicit_context_is_shown_unless_suppressed() -> None:
    def fail(suppress: bool) -> None:
        try:
            raise KeyError("inner")
        except KeyError:
            if suppress:
                raise ValueError("outer") from None
            raise ValueError("outer")

    texts = []
    for suppress in (False, True):
        try:
            fail(suppress)
        except ValueError as error:
            texts.append("".join(faults.of_invocation(error, INVOCATION).stack_trace))
    assert "While handling: KeyError: 'inner'" in texts[0]
    assert "KeyError: 'inner'" not in texts[1]


def test_groups_and_notes_are_shown() -> None:
    async def main() -> None:
        async def fail(number: int) -> None:
            error = ValueError(f"task {number}")
            error.add_note(f"note {number}")
            raise error

        async with asyncio.TaskGroup() as group:
            group.create_task(fail(1))
            group.create_task(fail(2))

    try:
        asyncio.run(main())
    except ExceptionGroup as error:
        fault = faults.of_invocation(error, INVOCATION)
    text = "".join(fault.stack_trace)
    for part in (
        "Member 1 of 2: ValueError: task 1",
        "Note: note 1",
        "Member 2 of 2: ValueError: task 2",
        "Note: note 2",
    ):
        assert part in text
    assert fault.error_type == "ExceptionGroup"


def test_everything_is_bounded() -> None:
    error = ValueError("x" * 10_000_000)
    error.__notes__ = ["n" * 1_000_000] * 1000
    for number in range(100):
        link = ValueError("cause " + "\x01" * 1_000_000 + str(number))
        link.__cause__ = error
        error = link
    fault = fault_of(error)
    assert len(fault.document) <= protocol.MAX_ERROR_BYTES
    assert len(fault.xray_cause or "") <= protocol.MAX_XRAY_CAUSE_BYTES
    assert "characters left out" in fault.message
    assert len(fault.json_record("now")) < 2_000_000


def test_the_frames_of_a_deep_recursion_are_folded() -> None:
    def ping(depth: int) -> None:
        pong(depth)

    def pong(depth: int) -> None:
        ping(depth + 1)

    try:
        ping(0)
    except RecursionError as error:
        fault = faults.of_invocation(error, INVOCATION)
    assert len(fault.stack_trace) <= faults.MAX_FRAMES + 1
    assert any("frames left out" in block for block in fault.stack_trace)


class Hostile(Exception):
    """An exception that fights back."""

    def __str__(self) -> str:
        raise SystemExit("from __str__")

    @property
    def __notes__(self) -> object:  # type: ignore[override]
        return 5


def test_a_hostile_exception_is_reported_all_the_same() -> None:
    fault = fault_of(Hostile())
    assert fault.message == "<Hostile whose str() failed>"
    error = ValueError("cycle")
    error.__cause__ = error
    assert fault_of(error).message == "cycle"
    other = KeyError("a")
    other.__cause__, error.__cause__ = error, other
    assert len(fault_of(error).stack_trace) < 10


@given(st.text(max_size=200))
def test_the_xray_header_is_one_ascii_line_of_json_whatever_the_message(message: str) -> None:
    fault = fault_of(ValueError(message))
    assert fault.xray_cause is not None
    assert re.fullmatch(r"[\x20-\x7e]+", fault.xray_cause)
    assert json.loads(fault.xray_cause)["exceptions"][0]["message"] == str(ValueError(message))
    assert json.loads(fault.document)["errorMessage"] == str(ValueError(message))


@given(st.text(min_size=1, max_size=40))
def test_the_error_type_header_is_one_that_the_platform_can_read(name: str) -> None:
    header = f"Function.{faults._class_for_header(name)}"
    assert re.fullmatch(protocol.ERROR_TYPE_PATTERN, header)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("ValueError", "Function.ValueError"),
        ("_Private", "Function.Private"),
        ("lowercase", "Function.Lowercase"),
        ("Http404", "Function.Http"),
        ("Ä", "Function.Unknown"),
    ],
)
def test_class_names_in_the_error_type_header(name: str, header: str) -> None:
    assert fault_of(type(name, (Exception,), {})()).header_type == header


def test_faults_of_the_runtimes_own_finding_carry_their_type_and_no_frames_of_ours() -> None:
    fault = fault_of(FunctionError(protocol.MARSHAL_ERROR, "Unable to marshal response: no"))
    assert fault.error_type == fault.header_type == "Runtime.MarshalError"
    assert fault.stack_trace == []
    assert json.loads(fault.xray_cause or "")["exceptions"][0]["type"] == "LambdaValidationError"


class _Declaring(Exception):
    """Says itself what Lambda calls it."""

    __lambda_error_type__: object = "Runtime.MarshalError"


def test_a_framework_that_writes_results_says_by_its_exception_that_one_cannot_be_written() -> None:
    fault = fault_of(_Declaring("no"))
    assert fault.error_type == fault.header_type == "Runtime.MarshalError"
    assert fault.message == "Unable to marshal response: no"


@pytest.mark.parametrize("declared", ["Runtime.ExitError", "Runtime.MarshalError\r\nX: y", "", None, 7, ["x"]])
def test_no_other_type_is_an_exceptions_to_declare(declared: object) -> None:
    error = _Declaring("no")
    error.__lambda_error_type__ = declared
    fault = fault_of(error)
    assert (fault.error_type, fault.header_type, fault.message) == ("_Declaring", "Function.Declaring", "no")


def test_an_exception_whose_attributes_fail_is_reported_as_what_it_is() -> None:
    class Hostile(Exception):
        def __getattr__(self, name: str) -> object:
            raise RuntimeError(name)

    assert fault_of(Hostile("no")).error_type == "Hostile"


def test_the_document_has_the_managed_runtimes_keys_in_its_order() -> None:
    assert list(json.loads(fault_of(ValueError("x")).document)) == [
        "errorMessage",
        "errorType",
        "requestId",
        "stackTrace",
    ]


def test_no_more_than_a_dozen_related_exceptions_are_shown() -> None:
    error = ValueError("innermost")
    for number in range(100):
        link = ValueError(f"cause {number}")
        link.__cause__ = error
        error = link
    chain = fault_of(error)
    assert sum(block.startswith("Caused by") for block in chain.stack_trace) == faults.MAX_RELATED - 1
    assert chain.stack_trace[-1] == "… and further exceptions, left out\n"
    group = fault_of(ExceptionGroup("many", [ValueError(number) for number in range(100)]))
    assert sum(block.startswith("Member") for block in group.stack_trace) == faults.MAX_RELATED - 1


def test_a_document_that_its_escapes_make_too_large_keeps_the_beginning_of_its_message() -> None:
    error = ValueError("\x01" * faults.MAX_MESSAGE)
    error.__notes__ = ["\x01" * faults.MAX_LINE] * faults.MAX_FRAMES
    error.__cause__ = KeyError()
    error.__cause__.__notes__ = error.__notes__
    fault = fault_of(error)
    assert len(fault.document) <= protocol.MAX_ERROR_BYTES
    document = json.loads(fault.document)
    assert document["errorMessage"] == "\x01" * 4096
    assert document["errorType"] == "ValueError"
    assert document["requestId"] == "id-1"


def test_each_part_of_a_trace_is_cut_by_itself() -> None:
    error = ValueError("outer")
    error.__notes__ = ["n" * 5_000] * 100
    error.__cause__ = KeyError("c" * 5_000)
    blocks = fault_of(error).stack_trace
    notes = [block for block in blocks if block.startswith("Note: ")]
    assert notes == ["Note: " + "n" * faults.MAX_LINE + "\n"] * faults.MAX_FRAMES
    (cause,) = [block for block in blocks if block.startswith("Caused by")]
    assert cause == "Caused by: KeyError: '" + "c" * (faults.MAX_LINE - 1) + "\n"


def test_enormous_source_lines_and_class_names_are_cut(tmp_path: Path) -> None:
    (tmp_path / "generated.py").write_text(f"raise type('E' * 5_000, (Exception,), {{}})({'x' * 5_000!r})\n")
    code = compile((tmp_path / "generated.py").read_text(), tmp_path / "generated.py", "exec")
    try:
        try:
            exec(code, {})
        except Exception as error:
            raise ValueError("outer") from error
    except ValueError as error:
        inner = faults.of_invocation(error.__cause__ or error, INVOCATION)
        outer = faults.of_invocation(error, INVOCATION)
    (line,) = [block for block in inner.stack_trace if "generated.py" in block]
    assert len(line) == faults.MAX_LINE + 2
    assert line.endswith("…\n")
    assert inner.error_type == "E" * faults.MAX_TYPE
    assert [item["type"] for item in json.loads(outer.xray_cause or "")["exceptions"]] == [
        "ValueError",
        "E" * faults.MAX_TYPE,
    ]


def test_an_error_in_a_working_directory_that_is_gone_is_described_all_the_same(serve: Serve) -> None:
    code = """
    import os
    def handler(event, context):
        os.mkdir("gone")
        os.chdir("gone")
        os.rmdir("../gone")
        raise ValueError("boom")
    """
    answer = serve(code, b"{}").answers[0]
    assert json.loads(answer.body)["errorType"] == "ValueError"
    assert json.loads(answer.headers["lambda-runtime-function-xray-error-cause"])["working_directory"] == ""
