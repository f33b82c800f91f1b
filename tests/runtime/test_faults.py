"""Errors as the platform and the operator see them: complete, bounded, and proof against hostile exceptions."""

import asyncio
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import faults, protocol
from runtime.errors import FunctionError
from runtime.faults import Fault
from runtime.invocation import Invocation

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


def test_the_document_has_the_managed_runtimes_keys_in_its_order() -> None:
    assert list(json.loads(fault_of(ValueError("x")).document)) == [
        "errorMessage",
        "errorType",
        "requestId",
        "stackTrace",
    ]
