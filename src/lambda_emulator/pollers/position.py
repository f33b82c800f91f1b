"""Where in a shard reading begins or goes on. Values only."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Position"]

Kind: TypeAlias = Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"]


@dataclass(frozen=True, slots=True)
class Position:
    """As GetShardIterator has it."""

    kind: Kind
    sequence_number: str | None = None
    timestamp_s: float | None = None
