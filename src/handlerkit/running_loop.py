"""Whether an event loop runs around the calling code. Imports no asyncio: where it is not loaded, none does."""

from __future__ import annotations

import sys

__all__ = ["in_thread", "is_in_loop"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def is_in_loop() -> bool:
    """Whether the caller can be awaited instead of having to wait."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


async def in_thread(step: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a step that waits, taken out of the loop. What was begun goes on though the caller is cancelled."""
    from asyncio import get_running_loop, shield  # a loop runs: it is loaded
    from contextvars import copy_context

    return await shield(get_running_loop().run_in_executor(None, copy_context().run, step, *arguments))
