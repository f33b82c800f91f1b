"""JMESPath functions that decode, by the names that aws-lambda-powertools gave them, so that expressions can move."""

from __future__ import annotations

from jmespath import Options, functions  # type: ignore[import-untyped]

from handlerkit.events.encoded import from_base64, inflate
from handlerkit.events.json_text import load

__all__ = ["decoding"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEXT = {"types": ["string", "null"]}


class Decoding(functions.Functions):  # type: ignore[misc]  # the library has no types
    """Besides the standard's; null decodes to null, so that a missing part stays missing."""

    @functions.signature(TEXT)  # type: ignore[untyped-decorator]
    def _func_powertools_json(self, value: str | None) -> Any:
        return None if value is None else load(value)

    @functions.signature(TEXT)  # type: ignore[untyped-decorator]
    def _func_powertools_base64(self, value: str | None) -> str | None:
        return None if value is None else from_base64(value).decode()

    @functions.signature(TEXT)  # type: ignore[untyped-decorator]
    def _func_powertools_base64_gzip(self, value: str | None) -> str | None:
        return None if value is None else inflate(from_base64(value)).decode()


def decoding() -> Any:
    """The options that an interpreter is to be given."""
    return Options(custom_functions=Decoding())
