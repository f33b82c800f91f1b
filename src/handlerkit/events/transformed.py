"""The data of a transformed record, as Firehose and Kinesis Analytics want it back: base64 text. Pure functions."""

from __future__ import annotations

import binascii

__all__ = ["result_data"]


def result_data(data: bytes | str | None, original: object) -> object:
    """New data in base64, or the original text where there is no new data.

    >>> result_data("Hello", None)
    'SGVsbG8='
    """
    if data is None:
        return original or ""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    return binascii.b2a_base64(data, newline=False).decode("ascii")
