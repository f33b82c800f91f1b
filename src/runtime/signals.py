"""How the process is told to end, and how it ends. Also what a forked child must not inherit.

Signal handlers of our own are for SIGTERM and SIGINT; handlers that user code sets later replace them.
"""

import _signal  # type: ignore[import-not-found]  # the C half; `signal` itself costs 4 ms for its enums
import posix
import sys

from .errors import Terminated

__all__ = ["end_on_signals", "end_process", "end_soon"]


def end_on_signals(client: "RuntimeClient") -> None:
    """Let SIGTERM and SIGINT raise `Terminated`, once, also while `client` waits; and leave forked children alone."""

    usual = {_signal.SIGTERM: _signal.SIG_DFL, _signal.SIGINT: _signal.default_int_handler}

    def terminate(_number: int, _frame: object) -> None:
        if client.stopping:
            return  # the process is ending: `finally` blocks, hooks and atexit have their time
        client.stop()
        raise Terminated

    changed: list[int] = []

    def before_fork() -> None:
        # Changed before the fork and not in the child: what arrives in between, the interpreter forgets.
        for number, handler in usual.items():
            if _signal.getsignal(number) is terminate:
                try:
                    _signal.signal(number, handler)
                    changed.append(number)
                except ValueError:  # forked by another thread than the main one
                    pass

    def in_parent() -> None:
        while changed:
            _signal.signal(changed.pop(), terminate)

    posix.register_at_fork(before=before_fork, after_in_parent=in_parent, after_in_child=client.leave_to_parent)
    for number in usual:
        _signal.signal(number, terminate)


def end_soon(seconds: float) -> None:
    """End the process after so long, whatever it is doing then (Python code or a system call)."""
    _signal.signal(_signal.SIGALRM, lambda _number, _frame: posix._exit(0))
    _signal.setitimer(_signal.ITIMER_REAL, seconds)


def end_process(status: int) -> None:
    """Run what `atexit` holds, send off what was printed, and end. Threads are not waited for: an executor of the
    function's with work to do, or a thread without end, would outlive every time limit.
    """
    import atexit

    atexit._run_exitfuncs()
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except BaseException:  # noqa: BLE001, S110  # a stream of user code's making
            pass
    posix._exit(status)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import RuntimeClient
