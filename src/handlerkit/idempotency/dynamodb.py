"""Records in a DynamoDB table: one request for a claim, one for a completion, one each for up to 100 of them.

A refused condition brings the item that stands in the way with it, so a replay is one request too. Engines that do
not return it cost a read more; engines without transactions cost a request per key.
"""

from __future__ import annotations

from .dynamodb_client import BotoClient, LeanClient, ServiceError, UnreachableError
from .dynamodb_items import Layout
from .errors import StoreError
from .store import now_ms

__all__ = ["DynamoDBStore"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from .records import Claim, Completion, Record, Release

# An item has 400 KB (409,600 bytes), names included; moto counts 405,000. What is beside the result takes 2 KB.
MAX_RESULT_BYTES = 400_000
# A transaction has 100 items and 4 MB.
MAX_TRANSACTION_ITEMS = 100
MAX_TRANSACTION_BYTES = 3_900_000
REFUSED = "ConditionalCheckFailedException"
CANCELLED = "TransactionCanceledException"
WITHOUT_TRANSACTIONS = ("UnknownOperationException", "NotImplemented", "NotImplementedException", "501", "404")
OLD_ITEM = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


class DynamoDBStore:
    """A table by name. Without `client`, requests are our own, with the function's credentials; boto3 is not loaded.

    `client` is `boto3.client("dynamodb")`. For tables with other attribute names, give a `Layout` instead of a name.
    """

    waits = True
    max_result_bytes: int | None = MAX_RESULT_BYTES

    def __init__(
        self,
        table: str | Layout,
        *,
        client: Any = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        timeout_s: float = 3.0,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        if client is not None and (region or endpoint_url):
            raise TypeError("the client knows its region and endpoint: give client=, or region= and endpoint_url=")
        self._layout = Layout(table) if isinstance(table, str) else table
        self._client = (
            LeanClient(region=region, endpoint_url=endpoint_url, timeout_s=timeout_s)
            if client is None
            else client
            if hasattr(client, "call") and not hasattr(client, "put_item")
            else BotoClient(client)
        )
        self._clock_ms = clock_ms
        # What the engine was found not to know; learnt once, in the same way by every thread.
        self._has_transactions = True
        self._returns_old = True

    def __repr__(self) -> str:
        return f"DynamoDBStore({self._layout.table!r})"

    def claim(self, claim: Claim, /) -> Record:
        """See `Store`."""
        layout = self._layout
        for _ in range(3):
            now = self._clock_ms()
            try:
                self._sent("PutItem", layout.put(claim, now))
            except ServiceError as error:
                record = self._in_the_way(claim.key, error)
                if record is not None:
                    return record
            else:
                return layout.claimed(claim, now)
        raise StoreError(f"DynamoDB table {layout.table!r}: {claim.key} changes hands faster than it can be read")

    def complete(self, done: Completion, /) -> Record | None:
        """See `Store`."""
        now = self._clock_ms()
        try:
            self._sent("UpdateItem", self._layout.update(done, now))
        except ServiceError as error:
            return self._in_the_way(done.key, error)
        return self._layout.completed(done, now)

    def release(self, release: Release, /) -> None:
        """See `Store`."""
        try:
            self._called("DeleteItem", self._layout.delete(release))
        except ServiceError as error:
            if error.code != REFUSED:
                raise self._refusal("DeleteItem", error) from error

    def claim_many(self, claims: Sequence[Claim], /) -> list[Record]:
        """See `Store`. After a conflict the keys that are free are claimed in a second transaction, then one by one."""
        found: dict[str, Record] = {}
        for start in range(0, len(claims), MAX_TRANSACTION_ITEMS):
            left = list(claims[start : start + MAX_TRANSACTION_ITEMS])
            for _ in range(2):
                if len(left) < 2 or not self._has_transactions:
                    break
                now = self._clock_ms()
                standing = self._transacted([("Put", one.key, self._layout.put(one, now)) for one in left])
                if standing is None:
                    found.update({one.key: self._layout.claimed(one, now) for one in left})
                    left = []
                    break
                found.update(standing)
                left = [one for one in left if one.key not in standing]
                if not standing:
                    break  # nothing learnt: the conflict is another transaction's, or the engine is silent
            found.update({one.key: self.claim(one) for one in left})
        return [found[claim.key] for claim in claims]

    def complete_many(self, done: Sequence[Completion], releases: Sequence[Release] = (), /) -> list[Record | None]:
        """See `Store`. After a conflict the keys that are still ours are written in a second transaction, then one by
        one."""
        found: dict[str, Record | None] = {}
        for some, free in _transactions(done, releases):
            for _ in range(2):
                if len(some) + len(free) < 2 or not self._has_transactions:
                    break
                now = self._clock_ms()
                parts = [("Update", one.key, self._layout.update(one, now)) for one in some]
                parts += [("Delete", one.key, self._layout.delete(one)) for one in free]
                standing = self._transacted(parts)
                if standing is None:
                    found.update({one.key: self._layout.completed(one, now) for one in some})
                    some, free = [], []
                    break
                found.update(standing)  # what another owns, or what we had written before the answer was lost
                some = [one for one in some if one.key not in standing]
                free = [one for one in free if one.key not in standing]
                if not standing:
                    break  # nothing learnt: no record at all, or the engine is silent
            for one in free:
                self.release(one)
            found.update({one.key: self.complete(one) for one in some})
        return [found[one.key] for one in done]

    def _transacted(self, parts: list[tuple[str, str, dict[str, Any]]]) -> dict[str, Record] | None:
        """None if all of it happened; else nothing did, and these are the records that stand in the way, if known."""
        old = OLD_ITEM if self._returns_old else {}
        try:
            self._called("TransactWriteItems", {"TransactItems": [{kind: {**one, **old}} for kind, _, one in parts]})
        except ServiceError as error:
            if error.code == CANCELLED:
                reasons = error.detail.get("CancellationReasons") or []
                items = [reason.get("Item") if isinstance(reason, dict) else None for reason in reasons]
                known = zip(parts, items, strict=False)
                return {key: self._layout.record(key, item) for (_, key, _), item in known if item}
            if error.code in WITHOUT_TRANSACTIONS or _is_unknown_operation(error):
                self._has_transactions = False
                return {}
            if old and _is_about_old_item(error):
                self._returns_old = False
                return {}
            raise self._refusal("TransactWriteItems", error) from error
        return None

    def _sent(self, action: str, parameters: dict[str, Any]) -> None:
        """A conditional write. Raises `ServiceError` only if its condition was refused."""
        try:
            try:
                self._called(action, {**parameters, **OLD_ITEM} if self._returns_old else parameters)
            except ServiceError as error:
                if not self._returns_old or not _is_about_old_item(error):
                    raise
                self._returns_old = False
                self._called(action, parameters)
        except ServiceError as error:
            if error.code == REFUSED:
                raise
            raise self._refusal(action, error) from error

    def _in_the_way(self, key: str, error: ServiceError) -> Record | None:
        """The record that refused the condition; None if there is none."""
        item = error.detail.get("Item")
        if not item:
            asked = {"TableName": self._layout.table, "Key": self._layout.key_of(key), "ConsistentRead": True}
            try:
                item = self._called("GetItem", asked).get("Item")
            except ServiceError as refused:
                raise self._refusal("GetItem", refused) from refused
        try:
            return self._layout.record(key, item) if item else None
        except ValueError as wrong:
            raise StoreError(f"DynamoDB table {self._layout.table!r}: {wrong}", outcome_is_unknown=False) from wrong

    def _called(self, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._client.call(action, parameters)
        except UnreachableError as error:
            raise StoreError(f"DynamoDB table {self._layout.table!r}: {action} got no answer: {error}") from error

    def _refusal(self, action: str, error: ServiceError) -> StoreError:
        table = self._layout.table
        needed = "dynamodb:PutItem, UpdateItem, DeleteItem and GetItem"
        both = "`handlerkit idempotency template` prints the table and the policy"
        advice = {
            "ResourceNotFoundException": f"{action} was refused: no such table in this region and account; {both}",
            "AccessDeniedException": f"{action} is not allowed: the role needs {needed} on this table; {both}",
        }.get(error.code)
        said = f"{advice} ({error})" if advice else f"{action} was refused: {error}"
        return StoreError(f"DynamoDB table {table!r}: {said}", outcome_is_unknown=error.code.startswith("5"))


def _transactions(
    done: Sequence[Completion], releases: Sequence[Release]
) -> Iterator[tuple[list[Completion], list[Release]]]:
    """Parts that each fit into one transaction."""
    some: list[Completion] = []
    size = 0
    for one in done:
        length = len(one.result.encode()) + 2_000
        if some and (len(some) == MAX_TRANSACTION_ITEMS or size + length > MAX_TRANSACTION_BYTES):
            yield some, []
            some, size = [], 0
        some.append(one)
        size += length
    room = MAX_TRANSACTION_ITEMS - len(some)
    if some or releases[:room]:
        yield some, list(releases[:room])
    for start in range(room, len(releases), MAX_TRANSACTION_ITEMS):
        yield [], list(releases[start : start + MAX_TRANSACTION_ITEMS])


def _is_unknown_operation(error: ServiceError) -> bool:
    said = error.message.lower()
    return "transact" in said and any(word in said for word in ("not supported", "unsupported", "unknown operation"))


def _is_about_old_item(error: ServiceError) -> bool:
    return "ReturnValuesOnConditionCheckFailure" in error.message and error.code != REFUSED
