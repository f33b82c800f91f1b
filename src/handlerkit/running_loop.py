"""Whether an event loop runs around the calling code. Imports no asyncio: where it is not loaded, none does."""

from __future__ import annotations

import sys

__all__ = ["is_in_loop"]


def is_in_loop() -> bool:
    """Whether the caller can be awaited instead of having to wait."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None
