"""At least once, made visible: which deliveries happen twice though nothing went wrong.

Lambda may run an asynchronous event twice, and a standard queue may hand out a message twice; it happens rarely, and
seldom in a test. A share of them chosen at random finds functions that are not idempotent.
"""

from collections.abc import Callable

__all__ = ["Duplicates"]


class Duplicates:
    """Chooses; none unless it is given a share.

    >>> Duplicates(0.5, iter([0.4, 0.5]).__next__).chosen()
    True
    >>> Duplicates(10)
    Traceback (most recent call last):
    ValueError: duplicates 10 is not possible: use a share from 0 to 1, such as 0.1 for a tenth
    """

    def __init__(self, share: float = 0.0, random: Callable[[], float] = float) -> None:
        """`random` gives a number from 0 up to 1."""
        self.share = share
        self._random = random

    @property
    def share(self) -> float:
        """From 0 to 1. Raises ValueError for anything else."""
        return self._share

    @share.setter
    def share(self, share: float) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"duplicates {share!r} is not possible: use a share from 0 to 1, such as 0.1 for a tenth")
        self._share = share

    def chosen(self) -> bool:
        """Whether this one is delivered twice."""
        return self._share > 0 and self._random() < self._share
