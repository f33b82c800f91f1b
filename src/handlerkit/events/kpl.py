"""The Kinesis producer library's aggregation: several user records in the data of one. Bytes in, dicts out.

The format: four magic bytes, a protobuf message, the MD5 of that message. The message has the fields 1 partition
keys, 2 explicit hash keys, 3 records; a record has 1 index of its partition key, 2 index of its hash key, 3 data.
What does not hold together to the last byte is an ordinary record.
"""

from __future__ import annotations

import binascii

from .encoded import from_base64

__all__ = ["MAX_USER_RECORDS", "user_records"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MAGIC = b"\xf3\x89\x9a\xc2"
MAGIC_BASE64 = "84maw"  # what is settled of its base64 whatever follows
DIGEST_BYTES = 16
# A record of 1 MB with 10 bytes for each of the user's; without a limit 4 bytes each could claim memory of 1 kB.
MAX_USER_RECORDS = 100_000


def user_records(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The user's records in a record, each in the record's own shape with a `subSequenceNumber`; or the record itself.

    Raises `ValueError` for more than `MAX_USER_RECORDS`.
    """
    inner = record.get("kinesis")
    kinesis = inner if isinstance(inner, dict) else record
    text = kinesis.get("data")
    if not isinstance(text, str) or not text.startswith(MAGIC_BASE64):
        return [record]
    try:
        packed = from_base64(text)
        if not _is_intact(packed):
            return [record]
        found = list(_packed(packed[len(MAGIC) : -DIGEST_BYTES]))
    except (ValueError, TypeError, LookupError):
        return [record]
    if len(found) > MAX_USER_RECORDS:
        raise ValueError(f"more than {MAX_USER_RECORDS} records packed into one")
    made = []
    for number, (partition_key, hash_key, data) in enumerate(found):
        user = {
            **kinesis,
            "partitionKey": partition_key,
            "data": binascii.b2a_base64(data, newline=False).decode("ascii"),
            "subSequenceNumber": number,
        }
        if hash_key is not None:
            user["explicitHashKey"] = hash_key
        made.append({**record, "kinesis": user} if kinesis is inner else user)
    return made or [record]


def _is_intact(packed: bytes) -> bool:
    if not packed.startswith(MAGIC) or len(packed) <= len(MAGIC) + DIGEST_BYTES:
        return False
    from hashlib import md5  # late: only packed records are summed

    body, digest = packed[len(MAGIC) : -DIGEST_BYTES], packed[-DIGEST_BYTES:]
    return md5(body, usedforsecurity=False).digest() == digest


def _packed(message: bytes) -> Iterator[tuple[str, str | None, bytes]]:
    partition_keys: list[str] = []
    hash_keys: list[str] = []
    records: list[dict[int, Any]] = []
    for field, value in _fields(message):
        if field == 1:
            partition_keys.append(str(value, "utf-8"))
        elif field == 2:
            hash_keys.append(str(value, "utf-8"))
        elif field == 3:
            records.append(dict(_fields(value)))
            if len(records) > MAX_USER_RECORDS:
                break
    for record in records:
        hash_key = hash_keys[record[2]] if 2 in record else None
        yield partition_keys[record[1]], hash_key, record.get(3, b"")


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The (number, value) pairs of a protobuf message that has varints and byte strings only."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        if tag & 7 == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
        elif tag & 7 == 2:
            size, at = _varint(message, at)
            if at + size > end:
                raise ValueError("a field beyond the message's end")
            yield tag >> 3, message[at : at + size]
            at += size
        else:
            raise ValueError("a wire type that is not used here")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
