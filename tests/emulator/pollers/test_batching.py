"""When a batch is full."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator.pollers.batching import BatchAssembler
from tests.emulator.pollers.unhurried import UNHURRIED


@dataclass(frozen=True)
class Piece:
    size_bytes: int


def test_by_count() -> None:
    batch: BatchAssembler[Piece] = BatchAssembler(batch_size=2, window_s=60)
    assert batch.offer(Piece(1), 0.0)
    assert (batch.missing, batch.is_due(0.0), batch.closes_at_s) == (1, False, 60.0)
    assert batch.offer(Piece(1), 10.0)
    assert (batch.missing, batch.is_due(10.0), batch.closes_at_s) == (0, True, 60.0)
    assert not batch.offer(Piece(1), 11.0)


def test_by_window() -> None:
    batch: BatchAssembler[Piece] = BatchAssembler(batch_size=9, window_s=5)
    assert not batch.is_due(100.0)
    batch.offer(Piece(1), 100.0)
    assert not batch.is_due(104.9)
    assert batch.is_due(105.0)


def test_without_a_window_one_record_is_enough() -> None:
    batch: BatchAssembler[Piece] = BatchAssembler(batch_size=9, window_s=0)
    batch.offer(Piece(1), 7.0)
    assert batch.is_due(7.0)


def test_a_batch_is_as_large_as_a_synchronous_event_may_be() -> None:
    envelope = len('{"Records":[]}')
    for more, fits in ((0, True), (1, False)):
        batch: BatchAssembler[Piece] = BatchAssembler(batch_size=9, window_s=60)
        assert batch.offer(Piece(5_000_000), 0.0)
        assert batch.offer(Piece(6 * 1024 * 1024 - 5_000_000 - envelope + more), 0.0) is fits


def test_by_size_and_one_record_always_fits() -> None:
    batch: BatchAssembler[Piece] = BatchAssembler(batch_size=9, window_s=60, max_bytes=114)
    assert batch.offer(Piece(500), 0.0)
    assert not batch.offer(Piece(1), 0.0)
    assert batch.is_due(0.0)


@UNHURRIED
@given(
    sizes=st.lists(st.integers(1, 60), max_size=40),
    batch_size=st.integers(1, 5),
    gaps=st.lists(st.floats(0, 3), min_size=40, max_size=40),
)
def test_no_record_is_lost_and_no_limit_passed(sizes: list[int], batch_size: int, gaps: list[float]) -> None:
    batches, now_s = [], 0.0
    pieces = [Piece(size) for size in sizes]
    batch: BatchAssembler[Piece] = BatchAssembler(batch_size=batch_size, window_s=4, max_bytes=114)
    for piece, gap in zip(pieces, gaps, strict=False):
        now_s += gap
        if batch.is_due(now_s) or not batch.offer(piece, now_s):
            batches.append(list(batch.records))
            batch = BatchAssembler(batch_size=batch_size, window_s=4, max_bytes=114)
            assert batch.offer(piece, now_s)
    batches.append(list(batch.records))
    assert [id(piece) for each in batches for piece in each] == [id(piece) for piece in pieces]
    for each in batches:
        assert len(each) <= batch_size
        assert len(each) <= 1 or sum(piece.size_bytes for piece in each) <= 100
