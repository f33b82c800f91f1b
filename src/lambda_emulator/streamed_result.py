"""What a caller and a test see of a streamed response: chunks while they are produced, and at their end what went
wrong. For threads other than the event loop's.
"""

import concurrent.futures
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Protocol, Self

from lambda_emulator.answer import Answer, failure_of
from lambda_emulator.answer_stream import StreamFailure
from lambda_emulator.errors import ServiceClosed
from lambda_emulator.http_prelude import HttpPrelude, find_prelude
from lambda_emulator.result import Completion, Report
from runtime import protocol

__all__ = ["StreamedResult", "Submit"]


class Submit(Protocol):
    """Runs a coroutine in the event loop that the stream belongs to."""

    def __call__(self, coroutine: Coroutine[Any, Any, bytes]) -> "concurrent.futures.Future[bytes]": ...


class StreamedResult:
    """An iterator over the response's chunks; not for several threads at once.

    How the response is cut into chunks says nothing: what was produced while nobody read comes in one.
    """

    def __init__(
        self,
        answer: Answer,
        submit: Submit,
        *,
        executed_version: str,
        request_id: str,
        completion: Callable[[], Completion],
    ) -> None:
        self.executed_version = executed_version
        self.request_id = request_id
        self.content_type = answer.content_type
        """As the function declared it."""
        self._answer = answer
        self._submit = submit
        self._completion = completion
        self._ahead = b"" if answer.stream is not None or answer.failed else answer.payload
        self._ended = answer.stream is None
        self._prelude: HttpPrelude | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next chunk, as soon as there is one. An HTTP response's prelude is taken off before the first."""
        if self.content_type == protocol.HTTP_INTEGRATION and not self._answer.failed and self._prelude is None:
            self._read_prelude()
        chunk = self._take()
        if not chunk:
            raise StopIteration
        return chunk

    def read(self) -> bytes:
        """All that is left."""
        return b"".join(self)

    @property
    def prelude(self) -> HttpPrelude | None:
        """Status, headers and cookies of an HTTP response (`StreamingResponse`), None for any other.

        Waits until they have come. Raises `InvalidPrelude` for what a function URL could not make sense of.
        """
        if self.content_type == protocol.HTTP_INTEGRATION and not self._answer.failed and self._prelude is None:
            self._read_prelude()
        return self._prelude

    @property
    def error(self) -> StreamFailure | None:
        """What went wrong; known when all chunks have been read, None before and for a complete response."""
        return failure_of(self._answer) if self._ended and not self._ahead else None

    @property
    def log(self) -> str:
        """All lines of this invocation, START to REPORT; waits for its end, which needs all chunks to be read."""
        return self._completion().log

    @property
    def init_log(self) -> str:
        """What was logged before START."""
        return self._completion().init_log

    @property
    def report(self) -> Report:
        """The figures of the REPORT line; waits as `log` does."""
        return self._completion().report

    def close(self) -> None:
        """Stop listening. The function runs on, and what it still produces is thrown away."""
        if self._answer.stream is not None:
            with contextlib.suppress(ServiceClosed):
                self._submit(self._abandon()).result()
        self._ahead = b""
        self._ended = True

    def _take(self) -> bytes:
        if self._ahead or self._ended:
            chunk, self._ahead = self._ahead, b""
            return chunk
        assert self._answer.stream is not None
        chunk = self._submit(self._answer.stream.read()).result()
        self._ended = not chunk
        return chunk

    def _read_prelude(self) -> None:
        received = b""
        found = None
        while found is None:
            chunk = self._take()
            received += chunk
            found = find_prelude(received, ended=not chunk)
        self._prelude, self._ahead = found

    async def _abandon(self) -> bytes:
        assert self._answer.stream is not None
        self._answer.stream.abandon()
        return b""
