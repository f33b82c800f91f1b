"""Output cut into records: at line ends, or as frames, however the bytes arrive."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator.output_records import Frames, Lines

KINDS = [0xA55A0000 + low for low in (2, 3, 6, 7, 0x0A, 0x0B, 0x0E, 0x0F, 0x12, 0x13, 0x16, 0x17, 0x1A, 0x1B)]


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


def frame(kind: int, payload: bytes) -> bytes:
    return struct.pack("!IIQ", kind, len(payload), 1_700_000_000_000_000) + payload


SIZES = st.lists(st.integers(0, 30), max_size=20)


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]))), SIZES)
def test_lines_are_whole_wherever_the_bytes_are_cut(texts: list[str], sizes: list[int]) -> None:
    lines = Lines()
    data = "".join(text + "\n" for text in texts).encode()
    assert [line for piece in cut(data, sizes) for line in lines.feed(piece)] == texts
    assert lines.rest() == []


def test_a_line_without_end_is_a_record_at_last() -> None:
    lines = Lines()
    assert lines.feed(b"begun") == []
    assert (lines.rest(), lines.rest()) == (["begun"], [])
    assert lines.feed(b"x" * (256 * 1024 + 1)) == ["x" * (256 * 1024 + 1)]
    assert lines.feed(b"\xff\n") == ["\ufffd"]


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.text(st.characters(exclude_categories=["Cs"])))),
    SIZES,
)
def test_each_frame_is_one_record_wherever_the_bytes_are_cut(frames: list[tuple[int, str]], sizes: list[int]) -> None:
    data = b"".join(frame(kind, text.encode()) for kind, text in frames)
    reader = Frames()
    found = [text for piece in cut(data, sizes) for text in reader.feed(piece)]
    assert found == [text for _, text in frames]


@given(st.binary(max_size=60), SIZES)
def test_what_is_no_frame_neither_stops_nor_breaks_anything(noise: bytes, sizes: list[int]) -> None:
    reader = Frames()
    for piece in cut(noise, sizes):
        reader.feed(piece)


def test_after_noise_the_next_frame_is_found() -> None:
    reader = Frames()
    data = b"noise that is long enough" + frame(0xA55A0003, b"found")
    assert reader.feed(data) == ["found"]
    absurd = struct.pack("!IIQ", 0xA55A0003, 2**31, 0) + frame(0xA55A0003, b"again")
    assert reader.feed(absurd) == ["again"]
