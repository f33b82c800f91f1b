"""RuntimeClient: the endpoints of the Runtime API over one keep-alive socket.

**The pipelined next.** `respond` and `fail` hold their request back; the `next` that follows sends both in one
write and reads the two answers as they come. That saves a round trip and two system calls per invocation, and the
invocation (its billing, and the freeze) ends the moment the response is taken. A large request goes out at once
instead, because a refusal of it may break the connection under whatever was sent behind it. `flush` sends what is
held without asking for more.

**Exactly one answer per event.** The last answer is kept until the platform acknowledges it. If the connection
breaks before that, the client asks for the next event on a new one: a platform that did not take the answer
delivers the same attempt again, which is answered from memory and never handed out twice.

Refusals 400, 410 and 413 lose their invocation (one line on stderr); any other ends the process by
`PlatformError`.
"""

from . import protocol
from .connection import Connection
from .errors import PlatformError, Terminated
from .invocation import Invocation
from .wire import Message, chunk, get, post

__all__ = ["RuntimeClient"]

PIPELINED_BYTES = 64 * 1024
"""Requests up to this size may be followed by `/next` in the same write."""
CONNECT_ATTEMPTS = 3
"""Connections in a row on which nothing was received before the platform counts as gone."""
REDELIVERIES = 2
"""How often one attempt may come again before the platform counts as broken."""


class RuntimeClient:
    """Speaks to the Runtime API at `address` (`host:port`, as `AWS_LAMBDA_RUNTIME_API` has it).

    Connects when first used. `warn` takes one line of text about an invocation that was lost. Not to be shared by
    threads.
    """

    def __init__(self, address: str, user_agent: str, warn: "Callable[[str], object]") -> None:
        self.address = address
        self.user_agent = user_agent
        self.warn = warn
        self._next = get(address, protocol.NEXT, user_agent)
        self._connection = Connection(address)
        self._held: list[bytes] = []
        self._answer: list[bytes] = []
        self._answered: Invocation | None = None
        self._acknowledged = True
        self._stream_broken = False
        self.refusals_are_fatal = True
        self.belongs_to_parent = False
        """Whether this is a forked child's copy, which must neither answer nor ask."""
        self.received = 0
        """Invocations received so far."""

    def another(self) -> "RuntimeClient":
        """A client of the same platform, with a connection of its own."""
        return RuntimeClient(self.address, self.user_agent, self.warn)

    # --- the endpoints ----------------------------------------------------------------------------------------

    def next(self) -> Invocation:
        """Wait for the next invocation, sending whatever answer is still held.

        Raises `PlatformError`, and `Terminated` after `stop`.
        """
        if self._connection.stopping or self.belongs_to_parent:
            self.flush()
            raise Terminated
        redeliveries = 0
        while True:
            invocation = self._deliver_and_wait()
            if self.is_new(invocation, redeliveries):
                return invocation
            redeliveries += 1

    def respond(self, invocation: Invocation, body: bytes, content_type: str = protocol.JSON) -> None:
        """Answer `invocation` with `body`; sent with the following `next` unless it is large."""
        path = f"{protocol.INVOCATION}{invocation.request_id}{protocol.RESPONSE_SUFFIX}"
        self._hold(invocation, path, content_type, body)

    def fail(self, invocation: Invocation, document: bytes, error_type: str, xray_cause: "str | None") -> None:
        """Answer `invocation` with an error document; `error_type` and `xray_cause` become headers (ASCII)."""
        path = f"{protocol.INVOCATION}{invocation.request_id}{protocol.ERROR_SUFFIX}"
        extra = f"{protocol.ERROR_TYPE}: {error_type}\r\n"
        if xray_cause is not None:
            extra += f"{protocol.XRAY_CAUSE}: {xray_cause}\r\n"
        self._hold(invocation, path, protocol.JSON, document, extra)

    def begin_stream(self, invocation: Invocation, head: bytes, first: bytes) -> None:
        """Start a streamed response of `invocation` with its first chunk (which may be empty)."""
        if self.belongs_to_parent:
            raise Terminated
        # A stream cannot be sent again. Should its attempt be delivered again, this is what the platform gets.
        document = b'{"errorMessage":"the response stream broke","errorType":"%b"}' % _TRUNCATED
        path = f"{protocol.INVOCATION}{invocation.request_id}{protocol.ERROR_SUFFIX}"
        self._answer = [post(self.address, path, protocol.JSON, len(document), _nonce(invocation)), document]
        self._answered = invocation
        self._acknowledged = False
        invocation.body = b""
        self._stream_broken = False
        self.send_chunk([head, *(chunk(first) if first else [])])

    def send_chunk(self, parts: "list[bytes]") -> bool:
        """Write parts of a stream, for as long as its consumer takes; False when there is no consumer any more."""
        if not self._stream_broken:
            self._stream_broken = not self._connection.send_patiently(parts)
        return not self._stream_broken

    def end_stream(self, ending: bytes) -> None:
        """Finish the stream and read the platform's word on it."""
        self.send_chunk([ending])
        message = self._connection.receive(due=True)
        if message is not None:
            self.judge(message)
            if self._stream_broken:
                self.close()

    def restore_next(self) -> None:
        """Wait through snapshot and restore (SnapStart). The connection does not survive that."""
        self._connection.send([get(self.address, protocol.RESTORE_NEXT, self.user_agent)])
        message = self._connection.receive(due=False)
        self.close()
        if message is None:
            raise PlatformError(
                f"the Runtime API at {self.address} closed the connection instead of answering restore/next"
            )
        if message.status != protocol.OK:
            raise PlatformError(f"restore/next was refused with {message.described()}")

    def restore_error(self, document: bytes, error_type: str) -> None:
        """Report that the function cannot go on after a restore."""
        self._call(protocol.RESTORE_ERROR, document, f"{protocol.ERROR_TYPE}: {error_type}\r\n")

    def report_death(self, request_id: str, invocation_id: "str | None", document: bytes) -> None:
        """Answer an invocation of a worker that died; refused where it was answered before."""
        extra = f"{protocol.ERROR_TYPE}: {protocol.EXIT_ERROR}\r\n"
        if invocation_id is not None:
            extra += f"{protocol.INVOCATION_ID}: {invocation_id}\r\n"
        self._call(f"{protocol.INVOCATION}{request_id}{protocol.ERROR_SUFFIX}", document, extra)

    def init_error(self, document: bytes, error_type: str) -> None:
        """Report that the function could not be initialised; only before the first `next`."""
        self._call(protocol.INIT_ERROR, document, f"{protocol.ERROR_TYPE}: {error_type}\r\n")

    def flush(self) -> None:
        """Send a held answer now and wait for its acknowledgement."""
        if self._held:
            self._deliver()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._connection.stopping

    def stop(self) -> None:
        """Let the following `next` end the loop, and one that waits; for signal handlers and other threads."""
        self._connection.stopping = True

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._connection.close()

    def park(self, request: "list[bytes]") -> None:
        """Send a request whose answer is not waited for, ever."""
        self._connection.send(request)

    # --- answers and events -----------------------------------------------------------------------------------

    def leave_to_parent(self) -> None:
        """In a forked child: give up this copy without a word to the platform."""
        self.belongs_to_parent = True
        self.close()

    def _hold(self, invocation: Invocation, path: str, content_type: str, body: bytes, extra: str = "") -> None:
        if self.belongs_to_parent:
            raise Terminated
        if invocation.invocation_id:
            extra += f"{protocol.INVOCATION_ID}: {invocation.invocation_id}\r\n"
        self._held = self._answer = [post(self.address, path, content_type, len(body), extra), body]
        self._answered = invocation
        self._acknowledged = False
        invocation.body = b""  # an idle environment need not keep the event
        if len(body) > PIPELINED_BYTES:
            self._deliver_if_large()

    def _deliver_if_large(self) -> None:
        if self.holds_large:
            self._deliver()

    @property
    def holds_large(self) -> bool:
        """Whether an answer waits that must go out alone."""
        return bool(self._held) and len(self._held[-1]) > PIPELINED_BYTES

    # --- what is decided, whoever does the input and output -----------------------------------------------------

    def is_new(self, invocation: Invocation, redeliveries: int) -> bool:
        """Whether `invocation` is to be handled. If not, it was answered, and its answer may be held again."""
        answered = self._answered
        is_another = answered is None or invocation.request_id != answered.request_id  # as nearly always
        if is_another or answered is None or not invocation.is_same_attempt(answered):
            if not self._acknowledged:
                self.warn(f"the connection ended before the answer of {self._request_id} was acknowledged")
                self._acknowledged = True
            self._answered, self._answer = None, []
            return True
        if redeliveries >= REDELIVERIES:
            raise PlatformError(f"/next delivered {invocation.request_id} again and again after it was answered")
        if self._acknowledged:
            self.warn(f"{invocation.request_id} was delivered again after its answer was taken; not run again")
        else:
            self.warn(f"{invocation.request_id} was delivered again; its answer is sent again, it is not run again")
            self._held = self._answer
            self._deliver_if_large()
        return False

    def count_silence(self, silent: int) -> int:
        """One more connection on which nothing came. Raises `PlatformError` when that is too many."""
        if silent + 1 >= CONNECT_ATTEMPTS:
            raise PlatformError(f"the Runtime API at {self.address} closed {silent + 1} connections in a row")
        return silent + 1

    def invocation_of(self, message: Message) -> Invocation:
        """What `/next` was answered with. Raises `PlatformError` for a refusal."""
        if message.status != protocol.OK:
            raise PlatformError(f"/next was refused with {message.described()}")
        self.received += 1
        return Invocation(message.headers, message.body)

    def _deliver(self) -> None:
        """Send the held answer alone and read its acknowledgement."""
        held, self._held = self._held, []
        self._connection.send(held)
        message = self._connection.receive(due=True)
        if message is not None:
            self.judge(message)

    def _deliver_and_wait(self) -> Invocation:
        held, self._held = self._held, []
        # One write: what is held here is small, because a large answer has gone out alone.
        self._connection.send([b"".join([*held, self._next])])
        silent = 0
        while True:
            due = bool(held)
            message = self._connection.receive(due=due)
            if message is None:  # the connection ended: ask again on a new one, the answer's fate is told there
                silent = self.count_silence(silent)
                held = []
                self._connection.send([self._next])
                continue
            silent = 0
            if due:
                held = []
                self.judge(message)
                if message.closes:
                    self._connection.send([self._next])
                continue
            return self.invocation_of(message)

    def judge(self, message: Message) -> None:
        """Take the platform's word on the answer: accepted, lost, or the end of this process."""
        self._acknowledged = True
        self._answer = []
        if 200 <= message.status < 300:
            if protocol.REQUEST_ID in message.headers:
                raise PlatformError(f"an event came in place of the acknowledgement of {self._request_id}")
            return
        refusal = f"the answer of {self._request_id} was refused with {message.described()}"
        if self.refusals_are_fatal and message.status not in protocol.LOSES_THE_INVOCATION:
            raise PlatformError(refusal)
        self.warn(refusal)

    def exchange(self, request: "list[bytes]") -> Message:
        """Send one request as it is, and read its answer."""
        self._connection.send(request)
        message = self._connection.receive(due=True)
        if message is None:
            raise PlatformError(f"the Runtime API at {self.address} closed the connection instead of answering")
        return message

    def _call(self, path: str, document: bytes, extra: str) -> Message:
        """One request outside of invocations: sent, answered, and 202 or `PlatformError`."""
        message = self.exchange([post(self.address, path, protocol.JSON, len(document), extra), document])
        if message.status != protocol.ACCEPTED:
            raise PlatformError(f"{path} was refused with {message.described()}")
        return message

    @property
    def _request_id(self) -> str:
        return self._answered.request_id if self._answered else "?"


_TRUNCATED = protocol.TRUNCATED_RESPONSE.encode()


def _nonce(invocation: Invocation) -> str:
    """The header line that names the attempt, where the platform named it."""
    return f"{protocol.INVOCATION_ID}: {invocation.invocation_id}\r\n" if invocation.invocation_id else ""


TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost 4 ms of every cold start
    from collections.abc import Callable
