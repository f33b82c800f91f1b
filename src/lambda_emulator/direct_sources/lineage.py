"""How often a function has already been on the way to an event, carried in the trace header as Lambda does. Pure.

A function's SDK sends the header on with each call, so a service that hands over an event knows what led to it. After
16 times round a function is stopped. `Lineage=hash:count|hash:count`; everything else in the header stays as it is.
"""

import os
import urllib.parse
import zlib

__all__ = ["counted", "header_of"]


def counted(trace_header: str | None, function_name: str) -> int:
    """How many invocations of the function have led here.

    >>> counted(header_of(header_of(None, "orders", at_s=0, traced=False), "mail", at_s=0, traced=False), "orders")
    1
    """
    return _counts(_fields(trace_header)).get(_hash(function_name), 0)


def header_of(trace_header: str | None, function_name: str, *, at_s: float, traced: bool) -> str:
    """The header of the function's next invocation. Without one before it a trace begins, sampled if `traced`."""
    fields = _fields(trace_header)
    counts = _counts(fields)
    counts[_hash(function_name)] = counts.get(_hash(function_name), 0) + 1
    if "Root" not in fields:
        fields["Root"] = f"1-{int(at_s):08x}-{os.urandom(12).hex()}"
        fields |= {} if traced else {"Parent": os.urandom(8).hex(), "Sampled": "0"}
    fields["Lineage"] = "|".join(f"{name}:{count}" for name, count in counts.items())
    return ";".join(f"{name}={value}" for name, value in fields.items())


def _fields(trace_header: str | None) -> dict[str, str]:
    """An SDK may have quoted the header."""
    pairs = (field.strip().partition("=") for field in urllib.parse.unquote(trace_header or "").split(";"))
    return {name: value for name, _, value in pairs if value}


def _counts(fields: dict[str, str]) -> dict[str, int]:
    pairs = (each.partition(":") for each in fields.get("Lineage", "").split("|"))
    return {name: int(count) for name, _, count in pairs if count.isascii() and count.isdecimal()}


def _hash(function_name: str) -> str:
    return f"{zlib.crc32(function_name.encode()):08x}"
