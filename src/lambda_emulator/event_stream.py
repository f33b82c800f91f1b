"""The frames of a streamed answer of the Invoke API (`application/vnd.amazon.eventstream`). Bytes out; pure.

    u32 total length | u32 headers length | u32 CRC of these eight bytes | headers | payload | u32 CRC of all before

All numbers are big-endian, CRCs are CRC-32. A header is: u8 length of the name, the name, 7 for text, u16 length of
the value, the value.
"""

import json
import struct
import zlib
from collections.abc import Iterable

from runtime import protocol

__all__ = ["CONTENT_TYPE", "frame", "invoke_complete", "payload_chunk"]

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_TEXT = 7


def frame(headers: Iterable[tuple[str, str]], payload: bytes) -> bytes:
    """One message.

    >>> frame([], b"").hex()
    '000000100000000005c248eb7d98c8ff'
    """
    block = b"".join(_header(name, value) for name, value in headers)
    prelude = struct.pack("!II", 16 + len(block) + len(payload), len(block))
    message = b"".join((prelude, struct.pack("!I", zlib.crc32(prelude)), block, payload))
    return message + struct.pack("!I", zlib.crc32(message))


def payload_chunk(data: bytes) -> bytes:
    """A piece of the response."""
    return _event("PayloadChunk", protocol.OCTET_STREAM, data)


def invoke_complete(error_code: str | None, error_details: str | None, log_result: str | None) -> bytes:
    """The last message of every stream. All three members are sent, for some SDKs dislike missing ones."""
    document = {"ErrorCode": error_code, "ErrorDetails": error_details, "LogResult": log_result}
    return _event("InvokeComplete", protocol.JSON, json.dumps(document).encode())


def _event(kind: str, content_type: str, payload: bytes) -> bytes:
    headers = ((":event-type", kind), (":content-type", content_type), (":message-type", "event"))
    return frame(headers, payload)


def _header(name: str, value: str) -> bytes:
    name_bytes, value_bytes = name.encode("utf-8"), value.encode("utf-8")
    return struct.pack(
        f"!B{len(name_bytes)}sBH{len(value_bytes)}s",
        len(name_bytes),
        name_bytes,
        _TEXT,
        len(value_bytes),
        value_bytes,
    )
