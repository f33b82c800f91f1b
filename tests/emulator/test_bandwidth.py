"""A token bucket by its arithmetic."""

from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator.bandwidth import TokenBucket


@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=60), st.integers(100, 10_000))
def test_no_stream_is_faster_than_its_burst_and_its_rate_allow(sizes: list[int], bytes_per_s: int) -> None:
    bucket = TokenBucket(bytes_per_s=bytes_per_s, burst_bytes=4_000, now_s=100.0)
    now_s, sent_bytes = 100.0, 0
    for size_bytes in sizes:
        now_s += bucket.take(size_bytes, now_s)
        sent_bytes += size_bytes
        assert sent_bytes <= 4_000 + bytes_per_s * (now_s - 100.0) + 1e-6 * bytes_per_s


def test_six_mebibytes_are_free_and_two_more_take_a_second() -> None:
    bucket = TokenBucket(bytes_per_s=2 * 1024 * 1024, now_s=0.0)
    assert bucket.take(6 * 1024 * 1024, 0.0) == 0
    assert bucket.take(2 * 1024 * 1024, 0.0) == 1


def test_a_pause_fills_the_bucket_but_not_beyond_its_size() -> None:
    bucket = TokenBucket(bytes_per_s=800, burst_bytes=1_000, now_s=0.0)
    bucket.take(1_000, 0.0)
    assert bucket.take(1_000, 100.0) == 0
    assert bucket.take(1, 100.0) > 0
