"""The head of a streamed HTTP response."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator import HttpPrelude, InvalidPrelude
from lambda_emulator.http_prelude import SEPARATOR, find_prelude


@given(st.dictionaries(st.text(), st.text(), max_size=4), st.binary(max_size=40), st.integers(0, 400))
def test_a_prelude_is_found_wherever_the_pieces_are_cut(headers: dict[str, str], payload: bytes, cut: int) -> None:
    stream = json.dumps({"statusCode": 201, "headers": headers, "cookies": ["a=b"]}).encode() + SEPARATOR + payload
    found = find_prelude(stream[:cut]) or find_prelude(stream)
    assert found is not None
    prelude, rest = found
    assert prelude == HttpPrelude(status_code=201, headers=headers, cookies=("a=b",))
    assert payload.startswith(rest)


def test_what_is_left_out_has_a_default() -> None:
    assert find_prelude(b"{}" + SEPARATOR) == (HttpPrelude(), b"")


def test_lists_and_numbers_are_header_values_too() -> None:
    found = find_prelude(b'{"headers": {"a": ["1", "2"], "b": 3}}' + SEPARATOR)
    assert found is not None
    assert found[0].headers == {"a": "1, 2", "b": "3"}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"{", "no JSON"),
        (b"[]", "a list, not an object"),
        (b'{"statusCode": "200"}', "statusCode is '200'"),
        (b'{"statusCode": true}', "statusCode is True"),
        (b'{"headers": []}', "headers is a list"),
        (b'{"cookies": "a=b"}', "cookies is not a list"),
        (b'{"cookies": [1]}', "cookies is not a list"),
    ],
)
def test_what_a_front_could_not_read_is_named(document: bytes, reason: str) -> None:
    with pytest.raises(InvalidPrelude, match=reason):
        find_prelude(document + SEPARATOR)


def test_a_stream_that_ends_or_goes_on_without_separator_has_none() -> None:
    assert find_prelude(b"{}") is None
    with pytest.raises(InvalidPrelude, match="no eight NUL bytes"):
        find_prelude(b"{}", ended=True)
    with pytest.raises(InvalidPrelude, match="no eight NUL bytes"):
        find_prelude(b"x" * (1024 * 1024 + 1))
