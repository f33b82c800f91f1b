"""The message groups of a FIFO queue that have a batch in flight: one at a time. Pure.

SQS itself holds a group back while any of its messages is in flight, so this is a second lock: it matters for servers
that let a message's visibility end while the function still works on it.
"""

from collections.abc import Iterable

__all__ = ["MessageGroups"]


class MessageGroups:
    """Which groups are taken."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def claim(self, groups: Iterable[str | None]) -> bool:
        """Take all of them, or none and say False. None is a message without a group, which nothing holds back."""
        wanted = {group for group in groups if group is not None}
        if wanted & self._taken:
            return False
        self._taken |= wanted
        return True

    def release(self, groups: Iterable[str | None]) -> None:
        """Give them back."""
        self._taken -= {group for group in groups if group is not None}
