"""Ordering policies: what a record's failure does to the records behind it, and which ones a response names.

Records of one *lane* run one after the other in the order they came; a failure, a record that cannot be read or one
that was not started closes its lane for the rest of the invocation. Lanes are independent of each other, and may run
at the same time. `POLICIES` says which policy serves which source. Pure: identifiers and positions in, identifiers
out; knows no function, no clock, no JSON.

What the sources do with a response: SQS deletes every message that is not named, so all that is not done is named.
Kinesis and DynamoDB go back to the lowest number named, and deliver it and everything behind it again, so one is
enough. Kafka is told of everything not done in a partition, which is right in either reading.
"""

from __future__ import annotations

__all__ = ["KEYED", "POLICIES", "ByGroup", "ByKey", "ByPartition", "ByShard", "Independent", "Ordering", "policy_for"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from typing import Any, Protocol

    class Ordering(Protocol):
        """One policy. It holds no state: one object serves all invocations."""

        @property
        def name(self) -> str:
            """For messages and logs."""

        @property
        def halts(self) -> bool:
            """Whether nothing behind a failed record is started any more, whatever its lane."""

        def lanes(self, keys: Sequence[Hashable]) -> Sequence[Hashable] | None:
            """Each record's lane, made of its key at the source; None where each is a lane of its own."""

        def reported(self, identifiers: Sequence[Any], undone: Sequence[int]) -> list[Any]:
            """What the response names, of the positions that are not done (ascending)."""

else:
    Ordering = object


class Independent:
    """No order: a failure concerns nobody else. Named is what is not done."""

    name = "independent"
    halts = False

    def lanes(self, keys: Sequence[Hashable]) -> Sequence[Hashable] | None:
        """None: every record is a lane of its own."""
        del keys
        return None

    def reported(self, identifiers: Sequence[Any], undone: Sequence[int]) -> list[Any]:
        """All that is not done, each once.

        >>> Independent().reported(["a", "b", "c"], [0, 2])
        ['a', 'c']
        """
        return list(dict.fromkeys(identifiers[at] for at in undone))


class ByGroup(Independent):
    """A lane for each message group: a failure ends its group, the other groups go on. Named is what is not done."""

    name = "by group"

    def lanes(self, keys: Sequence[Hashable]) -> Sequence[Hashable] | None:
        """The groups."""
        return keys


class ByShard(Independent):
    """One lane: the first failure ends the batch. Named is the lowest that is not done: all behind it come again.

    >>> ByShard().reported(["9", "10", "11"], [1, 2])
    ['10']
    """

    name = "by shard"
    halts = True

    def lanes(self, keys: Sequence[Hashable]) -> Sequence[Hashable] | None:
        """The same one for all."""
        return (0,) * len(keys)

    def reported(self, identifiers: Sequence[Any], undone: Sequence[int]) -> list[Any]:
        """The lowest sequence number; Lambda compares them as numbers, not as texts and not by position."""
        if not undone:
            return []
        try:
            return [min((identifiers[at] for at in undone), key=int)]
        except ValueError:
            return [identifiers[undone[0]]]


class ByKey(ByShard):
    """A lane for each key of a shard: more at once, and the shard's order is given up between keys.

    Named is the lowest that is not done, so whatever was done behind it comes again. Unless an `idempotency` makes
    that harmless (`repeats_are_safe`), nothing behind a failure is started any more.
    """

    name = "by key"

    def __init__(self, *, repeats_are_safe: bool = False) -> None:
        self.halts = not repeats_are_safe

    def lanes(self, keys: Sequence[Hashable]) -> Sequence[Hashable] | None:
        """The keys."""
        return keys


class ByPartition(Independent):
    """A lane for each partition of a topic: a failure ends its partition. Named is what is not done."""

    name = "by partition"

    def lanes(self, keys: Sequence[Hashable]) -> Sequence[Hashable] | None:
        """The partitions."""
        return keys

    def reported(self, identifiers: Sequence[Any], undone: Sequence[int]) -> list[Any]:
        """All that is not done; the identifiers are objects."""
        return [identifiers[at] for at in undone]


POLICIES: dict[str, Ordering] = {
    "sqs.standard": Independent(),
    "sqs.fifo": ByGroup(),
    "kinesis": ByShard(),
    "dynamodb": ByShard(),
    "kafka": ByPartition(),
    "firehose": Independent(),
    "s3_batch": Independent(),
}
"""The policy of each source, by the source's name."""

KEYED = ("kinesis", "dynamodb")
"""The sources whose records may, if asked, be kept in order by key instead of by shard."""


def policy_for(source: str, by_key: bool, repeats_are_safe: bool) -> Ordering:
    """The policy that serves a source. Raises `ValueError` where order by key is asked of one that has none."""
    if not by_key:
        return POLICIES[source]
    if source not in KEYED:
        raise ValueError(f"ordering='key' is for {' and '.join(KEYED)}; {source} is always {POLICIES[source].name}")
    return ByKey(repeats_are_safe=repeats_are_safe)
