"""A streamed response, as a runtime takes it that knows `__lambda_stream__`; any other gets it collected.

The invocation's scope stays open until the last chunk: what the body's code logs and counts belongs to it.
"""

from __future__ import annotations

from handlerkit.scope import Inside

__all__ = ["CONTENT_TYPE", "HttpStream", "collected", "collected_async"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from handlerkit.scope import Scope

CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"


class HttpStream:
    """Status, headers and cookies ahead of the chunks of a body."""

    def __init__(self, prelude: bytes, chunks: Any) -> None:
        self._prelude = prelude
        self._chunks = chunks

    def __lambda_stream__(self) -> tuple[str, bytes, Any]:
        """Content type, prelude, chunks: the name that a runtime looks for."""
        return CONTENT_TYPE, self._prelude, self._chunks


class Chunks:
    """The chunks of an iterator, in their scope. Closing it closes the iterator."""

    def __init__(self, chunks: Any, scope: Scope) -> None:
        self._chunks = chunks
        self._scope = scope

    def __iter__(self) -> Chunks:
        return self

    def __next__(self) -> Any:
        with Inside(self._scope):
            try:
                return next(self._chunks)
            except BaseException as error:
                _end(self._scope, None if isinstance(error, StopIteration) else error)
                raise

    def close(self) -> None:
        """The client has left."""
        with Inside(self._scope):
            try:
                if hasattr(self._chunks, "close"):
                    self._chunks.close()
            finally:
                _end(self._scope, None)


class AsyncChunks:
    """The same for an asynchronous iterator."""

    def __init__(self, chunks: Any, scope: Scope) -> None:
        self._chunks = chunks.__aiter__()
        self._scope = scope

    def __aiter__(self) -> AsyncChunks:
        return self

    async def __anext__(self) -> Any:
        with Inside(self._scope):
            try:
                return await anext(self._chunks)
            except BaseException as error:
                _end(self._scope, None if isinstance(error, StopAsyncIteration) else error)
                raise

    async def aclose(self) -> None:
        """The client has left."""
        with Inside(self._scope):
            try:
                if hasattr(self._chunks, "aclose"):
                    await self._chunks.aclose()
            finally:
                _end(self._scope, None)


class Waited:
    """An asynchronous iterator as an ordinary one, for a runtime whose thread may wait."""

    def __init__(self, chunks: Any, run: Callable[[Any], Any]) -> None:
        self._chunks = chunks.__aiter__()
        self._run = run

    def __iter__(self) -> Waited:
        return self

    def __next__(self) -> Any:
        found = self._run(_next_of(self._chunks))
        if found is _END:
            raise StopIteration
        return found

    def close(self) -> None:
        """Close it, so that its `finally` runs."""
        if hasattr(self._chunks, "aclose"):
            self._run(_closed(self._chunks))


def collected(chunks: Any) -> bytes:
    """All of an iterator's chunks. Raises `TypeError` for one that is neither bytes nor text."""
    return b"".join(_bytes(chunk) for chunk in chunks)


async def collected_async(chunks: Any) -> bytes:
    """All of an asynchronous iterator's chunks."""
    return b"".join([_bytes(chunk) async for chunk in chunks])


_END = object()


async def _next_of(chunks: Any) -> Any:
    return await anext(chunks, _END)


async def _closed(chunks: Any) -> None:
    await chunks.aclose()


def _bytes(chunk: Any) -> bytes:
    if isinstance(chunk, str):
        return chunk.encode("utf-8", "replace")
    if isinstance(chunk, (bytes, bytearray, memoryview)):
        return bytes(chunk)
    raise TypeError(f"a stream is made of bytes or text; one of its chunks is a {type(chunk).__name__}")


def _end(scope: Scope, error: BaseException | None) -> None:
    if not scope.has_ended:
        scope.error = error
        scope.end()
