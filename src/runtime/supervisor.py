"""Worker processes and the parent that supervises them.

The parent imports the handler and forks; a worker that dies is replaced, and if it was serving an invocation, the
parent answers for it. What a worker is serving stands in shared memory.
"""

import _signal  # type: ignore[import-not-found]  # the C half; `signal` itself costs 4 ms for its enums
import mmap
import posix
import select
import sys
import time

from . import attributed_output, protocol
from .client import RuntimeClient
from .errors import PlatformError, Terminated
from .extension import register_for_sigterm
from .initialisation import load_or_report
from .signals import end_on_signals
from .workers import STOP_S, WorkerClient, poll_persistently, shut_down

__all__ = ["Supervisor"]

DEATHS_IN_A_ROW = 5
"""Workers that may die without having been given an event before the whole environment counts as broken."""
ENDING = (_signal.SIGTERM, _signal.SIGINT)
SLOT_BYTES = 512
"""Shared memory of one worker: the request id and nonce that it is serving."""


class Slot:
    """One worker's part of the shared memory. Written by the worker, read by the supervisor when it is dead."""

    def __init__(self, memory: mmap.mmap, index: int) -> None:
        self._memory = memory
        self._start = index * SLOT_BYTES
        self.clear()

    def write(self, request_id: str, invocation_id: "str | None") -> None:
        """Record what is being served."""
        text = f"{request_id}\0{invocation_id or ''}".encode()[: SLOT_BYTES - 3]
        # The length goes last: a worker killed in between leaves the former state, or none.
        self._memory[self._start + 2 : self._start + 2 + len(text)] = text
        self._memory[self._start : self._start + 2] = len(text).to_bytes(2, "big")

    def clear(self) -> None:
        """Nothing is being served."""
        self._memory[self._start : self._start + 2] = b"\0\0"

    def read(self) -> "tuple[str, str | None] | None":
        """Request id and nonce of what is being served."""
        length = int.from_bytes(self._memory[self._start : self._start + 2], "big")
        if not length:
            return None
        text = self._memory[self._start + 2 : self._start + 2 + length].decode("utf-8", "replace")
        request_id, _, invocation_id = text.partition("\0")
        return request_id, invocation_id or None


class Supervisor:
    """The parent process: starts workers, replaces dead ones, answers for them, passes SIGTERM on."""

    def __init__(self, name: str, settings: "Settings", output: "Output", client: RuntimeClient, count: int) -> None:
        self._name = name
        self._settings = settings
        self._output = output
        self._client = client
        memory = mmap.mmap(-1, count * SLOT_BYTES)
        self._slots = [Slot(memory, index) for index in range(count)]
        self._workers: dict[int, int] = {}
        self._function: Function | None = None
        self._deaths = 0
        self._wake = (-1, -1)
        self._woken = select.poll()  # select() refuses descriptors above 1,023, of which a function may have many
        self._waiting: RuntimeClient | None = None

    def run(self) -> int:
        """Until SIGTERM, or until nothing can be served."""
        attributed_output.install(self._output)
        if self._settings.preload:
            self._function = load_or_report(self._name, self._settings, self._output, self._client)
            if self._function is None:
                return 1
            self._client.close()
            self._waiting = register_for_sigterm(self._client)
            _share_what_is_loaded()
        self._watch_children()
        try:
            for index in range(len(self._slots)):
                self._start(index)
            while self._workers:
                self._wait()
                status = self._bury()
                if status is not None:
                    return status
        except Terminated:
            self._stop()
            return 0
        return 1

    def _watch_children(self) -> None:
        # The C half of a signal handler writes a byte here at once, so that no death and no SIGTERM is missed
        # between looking and waiting.
        self._wake = posix.pipe()
        for descriptor in self._wake:
            posix.set_blocking(descriptor, False)
        self._woken.register(self._wake[0], select.POLLIN)
        _signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        _signal.signal(_signal.SIGCHLD, lambda _number, _frame: None)

    def _wait(self) -> None:
        self._woken.poll(1_000)
        try:
            posix.read(self._wake[0], 4096)
        except BlockingIOError:
            pass

    def _start(self, index: int) -> None:
        self._output.flush()
        # A SIGTERM between the fork and the note of it would leave a worker that nobody ends: it has to wait.
        _signal.pthread_sigmask(_signal.SIG_BLOCK, ENDING)
        process = -1
        try:
            process = posix.fork()
            if process:
                self._workers[process] = index
        finally:
            if process:
                _signal.pthread_sigmask(_signal.SIG_UNBLOCK, ENDING)
        if process:
            return
        status = 70
        try:
            status = self._work(index)
        except Terminated:
            status = 0
        except BaseException as error:  # noqa: BLE001  # nobody else would tell
            self._client.warn(f"worker {index}: {type(error).__name__}: {error}")
        finally:
            # Not sys.exit: what the parent would do at its exit is not the worker's to do.
            self._output.flush()
            posix._exit(status)

    def _work(self, index: int) -> int:
        """The worker process."""
        _signal.set_wakeup_fd(-1)
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
        for descriptor in self._wake:
            posix.close(descriptor)
        if "random" in sys.modules:
            sys.modules["random"].seed()  # or all workers would draw the same
        client = WorkerClient(self._client, self._slots[index])
        end_on_signals(client)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, ENDING)
        if self._settings.log_socket:
            _connect_logs(self._settings.log_socket)
            self._output.reopen()
        function = self._function or load_or_report(self._name, self._settings, self._output, client)
        if function is None:
            return 1
        if index == 0 and self._function is None:
            self._waiting = register_for_sigterm(client)
        try:
            from .environ import set_trace_id

            poll_persistently(client, function, set_trace_id)
        except PlatformError as error:
            client.warn(f"worker {index}: {error}")
            return 1
        except Terminated:
            shut_down(function)
        return 0

    def _bury(self) -> "int | None":
        """Deal with all workers that have died; the exit status when it is no use to go on."""
        while True:
            try:
                process, status = posix.waitpid(-1, posix.WNOHANG)
            except ChildProcessError:
                return 1
            if process == 0:
                return None
            index = self._workers.pop(process, None)
            if index is None:
                continue  # a process that user code started
            served = self._answer_for(index, status)
            self._deaths = 0 if served else self._deaths + 1
            if self._deaths >= DEATHS_IN_A_ROW or (not self._settings.preload and _exited_with(status) == 1):
                self._client.warn(f"{max(self._deaths, 1)} workers in a row have died without serving; giving up")
                self._stop()
                return 1
            self._start(index)

    def _answer_for(self, index: int, status: int) -> bool:
        """Report the invocation that the dead worker was serving; whether there was one."""
        serving = self._slots[index].read()
        self._slots[index].clear()
        if serving is None:
            return False
        request_id, invocation_id = serving
        message = f"RequestId: {request_id} Error: Runtime exited with error: {_how_it_ended(status)}"
        from . import marshal

        document = marshal.dumps({"errorType": protocol.EXIT_ERROR, "errorMessage": message})
        self._client.warn(f"worker {index} died ({_how_it_ended(status)}) while serving {request_id}")
        try:
            self._client.report_death(request_id, invocation_id, document)
        except PlatformError as error:
            self._client.warn(str(error))
            self._client.close()
        return True

    def _stop(self) -> None:
        for process in self._workers:
            _kill(process, _signal.SIGTERM)
        ends_at = time.monotonic() + STOP_S
        while self._workers and time.monotonic() < ends_at:
            try:
                process, _ = posix.waitpid(-1, posix.WNOHANG)
            except ChildProcessError:
                return
            if process == 0:
                time.sleep(0.005)
            self._workers.pop(process, None)
        for process in self._workers:
            _kill(process, _signal.SIGKILL)


def _share_what_is_loaded() -> None:
    """Keep the collector from writing into objects that the workers share; a write copies the page."""
    import gc

    gc.collect()
    gc.freeze()


def _connect_logs(path: str) -> None:
    """Wire standard output and error to the platform's log socket, one connection each."""
    import _socket

    for descriptor in (1, 2):
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        connection.connect(path)
        posix.dup2(connection.fileno(), descriptor)
        connection.close()


def _kill(process: int, number: int) -> None:
    try:
        posix.kill(process, number)
    except ProcessLookupError:
        pass


def _exited_with(status: int) -> "int | None":
    return posix.WEXITSTATUS(status) if posix.WIFEXITED(status) else None


def _how_it_ended(status: int) -> str:
    """In the platform's words."""
    if posix.WIFEXITED(status):
        return f"exit status {posix.WEXITSTATUS(status)}"
    number = posix.WTERMSIG(status)
    names = {
        _signal.SIGKILL: "killed",
        _signal.SIGSEGV: "segmentation fault",
        _signal.SIGABRT: "aborted",
        _signal.SIGTERM: "terminated",
        _signal.SIGBUS: "bus error",
    }
    return f"signal: {names.get(number, number)}"


TYPE_CHECKING = False
if TYPE_CHECKING:
    from .environ import Settings
    from .function import Function
    from .output import Output
