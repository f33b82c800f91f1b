"""How fast a streamed response may go: a token bucket. Arithmetic; it knows no clock and never waits itself."""

import math

__all__ = ["TokenBucket"]

# The first of a stream are free, and the bucket is filled up in steps: AWS's own emulator.
_BURST_BYTES = 6 * 1024 * 1024
_REFILL_S = 0.125


class TokenBucket:
    """Lets `burst_bytes` through at once and `bytes_per_s` from then on.

    >>> bucket = TokenBucket(bytes_per_s=800, burst_bytes=1000, now_s=0)
    >>> [bucket.take(size_bytes, now_s=0) for size_bytes in (600, 400, 1, 100)]
    [0.0, 0.0, 0.125, 0.25]
    >>> bucket.take(99, now_s=0.25), bucket.take(1, now_s=0.25)
    (0.0, 0.125)
    """

    def __init__(self, *, bytes_per_s: int, now_s: float, burst_bytes: int = _BURST_BYTES) -> None:
        self._step_bytes = bytes_per_s * _REFILL_S
        self._burst_bytes = burst_bytes
        self._left_bytes = float(burst_bytes)
        self._filled_at_s = now_s

    def take(self, size_bytes: int, now_s: float) -> float:
        """Seconds to wait before these bytes may go; they are counted as gone."""
        steps = math.floor((now_s - self._filled_at_s) / _REFILL_S)
        self._filled_at_s += steps * _REFILL_S
        self._left_bytes = min(self._burst_bytes, self._left_bytes + steps * self._step_bytes) - size_bytes
        if self._left_bytes >= 0:
            return 0.0
        missing_steps = math.ceil(-self._left_bytes / self._step_bytes)
        return self._filled_at_s + missing_steps * _REFILL_S - now_s
