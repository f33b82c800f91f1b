"""A store's waiting taken out of an event loop. What was begun is finished, whether or not its caller is cancelled."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import copy_context
from threading import Lock

from .errors import StoreError

__all__ = ["claimed", "settled"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .execution import Attempt
    from .records import Record
    from .store import Store


async def claimed(store: Store, attempt: Attempt) -> Record:
    """The record after a claim. Cancelled while it waits, a claim that is granted nevertheless is released."""
    claim = attempt.claim()
    if not store.waits:
        return store.claim(claim)
    loop = asyncio.get_running_loop()
    handing_over = Lock()
    given_up = is_granted = False

    def claim_unless_given_up() -> Record:
        nonlocal is_granted
        record = store.claim(claim)
        with handing_over:
            is_granted = attempt.owns(record)
            is_ours_to_release = is_granted and given_up
        if is_ours_to_release:
            release()
        return record

    def release() -> None:
        with suppress(StoreError):
            store.release(attempt.release())

    try:
        return await loop.run_in_executor(None, copy_context().run, claim_unless_given_up)
    except asyncio.CancelledError:
        with handing_over:
            given_up = True
            was_granted = is_granted
        if was_granted:  # on its way back, when we were cancelled
            await settled(store, release)
        raise


async def settled(store: Store, step: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a step that talks to the store."""
    if not store.waits:
        return step(*arguments)
    loop = asyncio.get_running_loop()
    return await asyncio.shield(loop.run_in_executor(None, copy_context().run, step, *arguments))
