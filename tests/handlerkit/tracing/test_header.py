"""The trace header, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlerkit.tracing.header import MAX_CHARACTERS, TraceHeader

ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"


def test_fields_stand_in_any_order_and_blanks_do_not_matter() -> None:
    header = TraceHeader.parse(f" Sampled=1; Parent={PARENT} ;Root={ROOT}")
    assert (header.root, header.parent, header.sampled) == (ROOT, PARENT, "1")
    assert header.is_recorded


def test_lineage_and_unknown_fields_travel_on_and_self_does_not() -> None:
    header = TraceHeader.parse(f"Self=1-1-1;Root={ROOT};Lineage=25:a:b;CalledFrom=app;Sampled=0")
    assert header.render("00f067aa0ba902b7") == (
        f"Root={ROOT};Parent=00f067aa0ba902b7;Sampled=0;Lineage=25:a:b;CalledFrom=app"
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        f"Root={ROOT}",
        f"Root={ROOT};Lineage=a:b",
        f"Root={ROOT};Parent={PARENT};Sampled=0",
        f"Root={ROOT};Parent={PARENT};Sampled=?",
        f"Root={ROOT};Sampled=1",
        f"Parent={PARENT};Sampled=1",
        f"Root=1-zz;Parent={PARENT};Sampled=1",
        f"Root={ROOT};Parent={PARENT}0;Sampled=1",
        f"Root={ROOT};Parent={PARENT};Sampled=1" + "x" * MAX_CHARACTERS,
    ],
)
def test_nothing_is_recorded_without_root_parent_and_the_decision(text: str | None) -> None:
    assert not TraceHeader.parse(text).is_recorded


def test_a_line_break_cannot_be_smuggled_into_a_request() -> None:
    assert "\n" not in TraceHeader.parse(f"Root={ROOT};Evil=a\r\nX-Admin: 1").render()


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    header = TraceHeader.parse(text)
    assert header.render() == "" or header.render().startswith("Root=1-")


@given(
    st.permutations([f"Root={ROOT}", f"Parent={PARENT}", "Sampled=1", "Lineage=a:b"]),
)
def test_what_is_written_reads_back_the_same(fields: list[str]) -> None:
    first = TraceHeader.parse(";".join(fields))
    again = TraceHeader.parse(first.render())
    assert (first.root, first.parent, first.sampled, first.rest) == (
        again.root,
        again.parent,
        again.sampled,
        again.rest,
    )


def test_the_same_trace_in_the_w3c_form() -> None:
    assert TraceHeader.parse(f"Root={ROOT};Parent={PARENT};Sampled=1").traceparent() == (
        f"00-5759e988bd862e3fe1be46a994272793-{PARENT}-01"
    )
    assert TraceHeader.parse(f"Root={ROOT}").traceparent() == ""


def test_a_header_far_too_long_is_not_read() -> None:
    text = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage="
    assert TraceHeader.parse(text + "x" * (MAX_CHARACTERS - len(text))).is_recorded
    assert not TraceHeader.parse(text + "x" * (MAX_CHARACTERS + 1 - len(text))).is_recorded
