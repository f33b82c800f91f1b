"""Records as DynamoDB items, and the requests of the state machine. Pure: makes and reads dicts.

Attribute names and values are those of aws-lambda-powertools by default, so that its tables can be taken over as they
are; what it does not have is `owner`. `expiration` is in seconds, as DynamoDB's time to live wants it, and
`in_progress_expiration` in milliseconds.
"""

from __future__ import annotations

from .records import Record
from .results import not_kept

__all__ = ["Layout"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .records import Claim, Completion, Release

IN_PROGRESS, COMPLETED = "INPROGRESS", "COMPLETED"

# Claimable: no item, a result whose time is over, or an execution that is certain to be dead. Where another tool
# stored no lease, the whole record's time decides.
CAN_CLAIM = (
    "attribute_not_exists(#id) OR (#status = :completed AND #expiry <= :now_s) OR "
    "(#status = :in_progress AND (#lease <= :now_ms OR (attribute_not_exists(#lease) AND #expiry <= :now_s)))"
)
IS_MINE = "#owner = :owner AND #status = :in_progress"


class Layout:
    """The table's and the attributes' names. With a sort key, all records share `partition`, and the key sorts them."""

    __slots__ = ("data", "expiry", "key", "lease", "owner", "partition", "sort_key", "status", "table", "validation")

    def __init__(
        self,
        table: str,
        *,
        key: str = "id",
        sort_key: str | None = None,
        partition: str = "",
        status: str = "status",
        owner: str = "owner",
        data: str = "data",
        expiry: str = "expiration",
        lease: str = "in_progress_expiration",
        validation: str = "validation",
    ) -> None:
        self.table = table
        self.key = key
        self.sort_key = sort_key
        self.partition = partition
        self.status = status
        self.owner = owner
        self.data = data
        self.expiry = expiry
        self.lease = lease
        self.validation = validation
        names = [one for one in (key, sort_key, status, owner, data, expiry, lease, validation) if one is not None]
        if len(set(names)) != len(names):
            raise ValueError(f"two attributes of one name: {', '.join(sorted(names))}")

    def key_of(self, key: str) -> dict[str, Any]:
        """The item's key."""
        if self.sort_key is None:
            return {self.key: {"S": key}}
        return {self.key: {"S": self.partition}, self.sort_key: {"S": key}}

    def claimed(self, claim: Claim, now_ms: int) -> Record:
        """The record that a granted claim makes."""
        lease_until_ms = now_ms + claim.lease_ms
        return Record(
            key=claim.key,
            owner=claim.owner,
            is_completed=False,
            lease_until_ms=lease_until_ms,
            expires_at_ms=_whole_s(max(now_ms + claim.ttl_s * 1000, lease_until_ms)) * 1000,
            fingerprint=claim.fingerprint,
        )

    def completed(self, done: Completion, now_ms: int) -> Record:
        """The record that a completion makes."""
        return Record(
            key=done.key,
            owner=done.owner,
            is_completed=True,
            lease_until_ms=now_ms,
            expires_at_ms=_whole_s(now_ms + done.ttl_s * 1000) * 1000,
            result=done.result,
            fingerprint=done.fingerprint,
        )

    def put(self, claim: Claim, now_ms: int) -> dict[str, Any]:
        """`PutItem` for a claim; also as a part of a transaction."""
        record = self.claimed(claim, now_ms)
        item = {
            **self.key_of(claim.key),
            self.status: {"S": IN_PROGRESS},
            self.owner: {"S": claim.owner},
            self.lease: {"N": str(record.lease_until_ms)},
            self.expiry: {"N": str(record.expires_at_ms // 1000)},
        }
        if claim.fingerprint:
            item[self.validation] = {"S": claim.fingerprint}
        return {
            "TableName": self.table,
            "Item": item,
            "ConditionExpression": CAN_CLAIM,
            "ExpressionAttributeNames": {
                "#id": self.key,
                "#status": self.status,
                "#expiry": self.expiry,
                "#lease": self.lease,
            },
            "ExpressionAttributeValues": {
                ":now_s": {"N": str(now_ms // 1000)},
                ":now_ms": {"N": str(now_ms)},
                ":completed": {"S": COMPLETED},
                ":in_progress": {"S": IN_PROGRESS},
            },
        }

    def update(self, done: Completion, now_ms: int) -> dict[str, Any]:
        """`UpdateItem` for a completion."""
        record = self.completed(done, now_ms)
        return {
            "TableName": self.table,
            "Key": self.key_of(done.key),
            "UpdateExpression": "SET #status = :completed, #data = :data, #expiry = :expiry",
            "ConditionExpression": IS_MINE,
            "ExpressionAttributeNames": {
                "#owner": self.owner,
                "#status": self.status,
                "#data": self.data,
                "#expiry": self.expiry,
            },
            "ExpressionAttributeValues": {
                ":owner": {"S": done.owner},
                ":in_progress": {"S": IN_PROGRESS},
                ":completed": {"S": COMPLETED},
                ":data": {"S": done.result},
                ":expiry": {"N": str(record.expires_at_ms // 1000)},
            },
        }

    def delete(self, release: Release) -> dict[str, Any]:
        """`DeleteItem` for a release."""
        return {
            "TableName": self.table,
            "Key": self.key_of(release.key),
            "ConditionExpression": IS_MINE,
            "ExpressionAttributeNames": {"#owner": self.owner, "#status": self.status},
            "ExpressionAttributeValues": {":owner": {"S": release.owner}, ":in_progress": {"S": IN_PROGRESS}},
        }

    def record(self, key: str, item: dict[str, Any]) -> Record:
        """The record that an item is. Raises `ValueError` for one of a state that nothing is known of."""
        status = _text(item, self.status)
        if status not in (IN_PROGRESS, COMPLETED):
            raise ValueError(f"{key} has status {status!r}: is this table another's?")
        expires_at_ms = _number(item, self.expiry) * 1000
        return Record(
            key=key,
            owner=_text(item, self.owner),
            is_completed=status == COMPLETED,
            lease_until_ms=_number(item, self.lease) or expires_at_ms,
            expires_at_ms=expires_at_ms,
            result=self._result(item),
            fingerprint=_text(item, self.validation),
        )

    def _result(self, item: dict[str, Any]) -> str:
        """Other tools leave out a result that is null; our completions always have one."""
        if self.owner in item and self.data not in item and _text(item, self.status) == COMPLETED:
            return not_kept("the item has no result, though one was written")
        return _text(item, self.data)


def _whole_s(milliseconds: int) -> int:
    return -(-milliseconds // 1000)


def _text(item: dict[str, Any], name: str) -> str:
    return str(item.get(name, {}).get("S", ""))


def _number(item: dict[str, Any], name: str) -> int:
    return int(float(item.get(name, {}).get("N", "0")))
