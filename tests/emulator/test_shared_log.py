"""Whose line is whose, where several invocations are open at once."""

import json

from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator.shared_log import SharedLog


def record(request_id: str, text: str = "m") -> str:
    return json.dumps({"requestId": request_id, "message": text}) + "\n"


def test_a_record_with_a_request_id_is_that_invocations_alone() -> None:
    log = SharedLog()
    with log.opened("a") as a, log.opened("b") as b:
        log.output((record("a") + record("b")).encode())
    assert (a.take(), b.take()) == (record("a"), record("b"))


def test_any_other_line_is_everybodys() -> None:
    log = SharedLog()
    other = 'plain\n{"message": "no id"}\n{"requestId": 1}\n{broken\n[1]\n'
    with log.opened("a") as a, log.opened("b") as b:
        log.output(other.encode())
    assert a.take() == b.take() == other


def test_what_comes_for_nobody_waits_for_the_next() -> None:
    log = SharedLog()
    log.output(b"early\n")
    with log.opened("a") as a:
        log.output(record("over").encode())
    log.line("platform\n")
    with log.opened("b") as b:
        pass
    assert (a.take(), b.take()) == ("early\n", record("over") + "platform\n")
    assert log.take() == ""


def test_a_line_goes_where_its_end_comes() -> None:
    log = SharedLog()
    with log.opened("a") as a:
        log.output(b"be")
    with log.opened("b") as b:
        log.output(b"gun\nrest")
    assert (a.take(), b.take(), log.take()) == ("", "begun\n", "rest")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=5))), st.lists(st.integers(1, 20)))
def test_no_record_is_lost_or_another_invocations(lines: list[tuple[str, str]], sizes: list[int]) -> None:
    log = SharedLog()
    data = "".join(record(owner, text) for owner, text in lines).encode()
    with log.opened("a") as a, log.opened("b") as b:
        for size in sizes:
            log.output(data[:size])
            data = data[size:]
        log.output(data)
    taken = {"a": a.take(), "b": b.take()}
    for owner in "ab":
        assert taken[owner] == "".join(record(owner, text) for each, text in lines if each == owner)
