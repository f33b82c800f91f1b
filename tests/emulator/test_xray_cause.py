"""What the platform keeps of an X-Ray cause."""

import json

import pytest

from lambda_emulator.xray_cause import accepted_cause, split_error_cause

LIMIT = 64 * 1024


@pytest.mark.parametrize("text", [None, "", "{", "[]", "1", "{}", '{"exceptions": [], "paths": []}', "[" * 100_000])
def test_what_says_nothing_is_dropped(text: str | None) -> None:
    assert accepted_cause(text) is None


def test_a_cause_that_fits_is_kept_whole_and_compact() -> None:
    cause = {"working_directory": "/var/task", "exceptions": [{"type": "T", "message": "\u00e9"}], "paths": ["a.py"]}
    kept = accepted_cause(json.dumps(cause, indent=2))
    assert kept == json.dumps(cause, separators=(",", ":"))
    assert kept.isascii()


@pytest.mark.parametrize(("exceptions", "kept"), [(70, 56), (80, 64), (100, 60), (150, 60), (300, 60), (1000, 0)])
def test_lists_are_shortened_in_steps_until_it_fits(exceptions: int, kept: int) -> None:
    cause = {"exceptions": ["x" * 997] * exceptions, "paths": list(range(10)), "working_directory": "/var/task"}
    cropped = accepted_cause(json.dumps(cause))
    assert cropped is not None
    assert len(cropped) <= LIMIT
    assert len(json.loads(cropped)["exceptions"]) == kept


def test_texts_are_cut_when_even_empty_lists_do_not_help() -> None:
    cause = {
        "message": "m" * 50_000,
        "working_directory": "w" * 50_000,
        "exceptions": [1],
        "paths": ["p"],
        "other": "o",
    }
    cropped = accepted_cause(json.dumps(cause))
    assert cropped is not None
    assert len(cropped) <= LIMIT
    assert json.loads(cropped) == {
        "message": "m" * 30_720 + "...",
        "working_directory": "w" * 30_720 + "...",
        "exceptions": [],
        "paths": [],
    }


def test_an_error_document_without_a_cause_is_only_forwarded() -> None:
    assert split_error_cause(b'{"errorType":"T","more":1}') == (b'{"errorType":"T"}', None)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_document_cannot_be_split(body: bytes) -> None:
    assert split_error_cause(body) is None
