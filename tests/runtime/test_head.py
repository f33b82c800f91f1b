"""Heads of responses: what a connection remembers of the last one changes nothing but the time that the next takes."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime.head import Heads, WireError, parse_head

# Short values of few characters, so that heads of one length differ in some values, in a blank, in a line's end.
VALUES = st.text("ab%s \t\n", min_size=3, max_size=3)
HEADS = st.builds(
    "HTTP/1.{} 200 OK\r\nx-100%-of-it{}{}{}\r\n{}: {}".format,
    st.sampled_from("11110"),
    st.sampled_from([": ", ": ", ": ", ":a", " :", "\r\n"]),
    VALUES,
    st.sampled_from(["", "", "\r\nC:"]),
    st.sampled_from(["Date", "Date", "DATE", "Data", "X", "X-100%-of-it"]),
    VALUES,
)


def outcome(parse: object, *arguments: object) -> object:
    """What a parser says, or how it refuses."""
    try:
        return parse(*arguments)  # type: ignore[operator]
    except WireError as error:
        return str(error)


@settings(max_examples=400)
@given(st.lists(HEADS, min_size=3, max_size=9))
@example([f"HTTP/1.1 200 OK\r\nDATE: {value}" for value in ("abc", "bca", "a\nb", "cab")])
@example([f"HTTP/1.1 200 OK\r\nDATE: {value}" for value in ("aa", "bb", "a ", " b")])
@example([f"HTTP/1.1 200 OK\r\n%s: a\r\nDATE: {value}" for value in ("%s", "%%", "%a", "50")])
def test_a_head_says_the_same_whatever_came_before_it(heads: list[str]) -> None:
    memory = Heads()
    for head in heads:
        assert outcome(memory.parse, head.encode("latin-1")) == outcome(parse_head, head)


def test_a_head_that_differs_where_others_did_is_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    head = "HTTP/1.1 200 OK\r\nRequest-Id: id-{0:03}\r\nArn: arn:{1}\r\nDate: Thu, 00:00:{2:02}\r\nDeadline: {0:05}"
    memory = Heads()
    taken_apart = 0

    def counted(text: str) -> tuple[int, dict[str, str]]:
        nonlocal taken_apart
        taken_apart += 1
        return parse_head(text)

    monkeypatch.setattr("runtime.head.parse_head", counted)
    for number in range(60):
        second = number // 10  # a date is the same for a while
        status, headers = memory.parse(head.format(number, "f", second).encode())
        assert status == 200
        assert headers == {
            "request-id": f"id-{number:03}",
            "arn": "arn:f",
            "date": f"Thu, 00:00:{second:02}",
            "deadline": f"{number:05}",
        }
    assert taken_apart == 3  # the first, the second, and the first with another date
    assert memory.parse(head.format(7, "g", 7).encode())[1]["arn"] == "arn:g"


def test_what_one_invocation_does_with_its_headers_is_not_seen_by_the_next() -> None:
    memory = Heads()
    for number in range(5):
        _, headers = memory.parse(f"HTTP/1.1 200 OK\r\nId: {number}\r\nTenant: t".encode())
        assert headers == {"id": str(number), "tenant": "t"}
        headers.clear()
