"""What a response says about its batch: the reference's sections 2.3 and 3.3."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator.pollers.batch_response import read_response
from tests.emulator.pollers.unhurried import UNHURRIED

IDS = ["a", "b", "c"]


@pytest.mark.parametrize(
    "payload",
    [b"", b" ", b"null", b"{}", b'""', b"[]", b'{"batchItemFailures":null}', b'{"batchItemFailures":[]}', b'{"x":1}'],
)
def test_nothing_has_failed(payload: bytes) -> None:
    verdict = read_response(payload, IDS)
    assert (verdict.failed, verdict.malformed) == (frozenset(), None)


def test_those_that_are_listed_have_failed_once_however_often_they_are_listed() -> None:
    document = {"batchItemFailures": [{"itemIdentifier": each} for each in ("b", "a", "b")], "other": 1}
    verdict = read_response(json.dumps(document).encode(), IDS)
    assert (verdict.failed, verdict.malformed) == (frozenset("ab"), None)


@pytest.mark.parametrize(
    "payload",
    [
        b"no json",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b"0",
        b"false",
        b"true",
        b'"text"',
        b"[1]",
        b'{"batchItemFailures":{}}',
        b'{"batchItemFailures":""}',
        b'{"batchItemFailures":0}',
        b'{"batchItemFailures":[null]}',
        b'{"batchItemFailures":["a"]}',
        b'{"batchItemFailures":[{}]}',
        b'{"batchItemFailures":[{"itemIdentifier":""}]}',
        b'{"batchItemFailures":[{"itemIdentifier":null}]}',
        b'{"batchItemFailures":[{"itemIdentifier":1}]}',
        b'{"batchItemFailures":[{"itemIdentifier":["a"]}]}',
        b'{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"unknown"}]}',
        b'{"batchItemFailures":[{"ItemIdentifier":"a"}]}',
    ],
)
def test_a_response_that_cannot_be_trusted_fails_all(payload: bytes) -> None:
    verdict = read_response(payload, IDS)
    assert verdict.failed == set(IDS)
    assert verdict.malformed


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["a", "b", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["batchItemFailures", "itemIdentifier", "x"]), inner, max_size=2)
    ),
)


@UNHURRIED
@given(VALUES)
def test_nothing_that_a_function_may_say_acknowledges_what_it_lists(value: Any) -> None:
    verdict = read_response(json.dumps(value).encode(), IDS)
    assert verdict.failed <= set(IDS)
    if isinstance(value, dict) and isinstance(value.get("batchItemFailures"), list):
        for item in value["batchItemFailures"]:
            if isinstance(item, dict) and item.get("itemIdentifier") in IDS:
                assert item["itemIdentifier"] in verdict.failed
        if value["batchItemFailures"]:
            assert verdict.failed


@UNHURRIED
@given(st.binary(max_size=50))
def test_any_bytes_have_a_verdict(payload: bytes) -> None:
    assert read_response(payload, IDS).failed <= set(IDS)
