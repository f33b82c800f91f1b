"""Hooks around the life of an environment: snapshot, restore, shutdown, and work after a response.

    from runtime import after_response, on_shutdown, register_after_restore, register_before_snapshot

Loaded by the function that registers something, so that all others pay nothing. Registering is process-wide by its
nature (it happens while modules are imported, before any object of ours reaches user code); what is left for after a
response belongs to its invocation.

Every hook has a time budget. A hook that fails or exceeds it is logged; the others run all the same, and no response
is lost.
"""

import sys
import time

from . import faults
from .errors import PlatformError, Terminated
from .invocation import current

__all__ = [
    "after_response",
    "on_shutdown",
    "register_after_restore",
    "register_before_snapshot",
]

BEFORE_SNAPSHOT_S = 120.0
"""Initialisation with SnapStart may take 130 s, or the function's timeout if that is longer."""
AFTER_RESTORE_S = 9.5
"""Lambda gives restore and hooks 10 s together."""
SHUTDOWN_S = 0.4
"""Lambda kills the process 500 ms after SIGTERM (with internal extensions only)."""
MARGIN_MS = 50
"""Left between the end of work after the response and the invocation's deadline, at which all is killed."""
LAST_INTERRUPTION = 3
REPEAT_S = 0.02
"""A hook that swallows the interruption of its budget is interrupted again, this often."""
EXIT_BEFORE_SNAPSHOT = 64
EXIT_AFTER_RESTORE = 65


class BudgetExceeded(BaseException):  # not an error of the hook's own, and not an Exception it would catch
    """A hook ran longer than it may."""


class _Registry:
    """The hooks of this process, in the order of registration."""

    def __init__(self) -> None:
        self.before_snapshot: list[Hook] = []
        self.after_restore: list[Hook] = []
        self.shutdown: list[Hook] = []


_registry = _Registry()


def register_before_snapshot(function: "F", *args: object, **kwargs: object) -> "F":
    """Call `function` before the snapshot is taken (SnapStart); the last registered runs first. Usable as decorator."""
    _registry.before_snapshot.append((function, args, kwargs))
    return function


def register_after_restore(function: "F", *args: object, **kwargs: object) -> "F":
    """Call `function` after each restore from the snapshot, in the order of registration. Usable as decorator."""
    _registry.after_restore.append((function, args, kwargs))
    return function


def on_shutdown(function: "F", *args: object, **kwargs: object) -> "F":
    """Call `function` when Lambda ends the environment (SIGTERM), the last registered first. Usable as decorator.

    Lambda sends SIGTERM only to functions with an extension. Registering while the module is imported makes the
    runtime register an internal one that does nothing; registering later is too late for that. All hooks together
    have 0.4 seconds.
    """
    _registry.shutdown.append((function, args, kwargs))
    return function


def after_response(function: "Callable[..., object]", *args: object, **kwargs: object) -> None:
    """Call `function` when the caller of the present invocation has its response, before the environment freezes.

    It delays this environment's next event, not the present answer, and is billed. It has the invocation's remaining
    time. Raises `RuntimeError` where no invocation is running (in a thread that does not run in its context).
    """
    invocation = current.get(None)
    if invocation is None:
        raise RuntimeError(
            "after_response belongs to an invocation, and none is running here; in a thread of your own, run it in "
            "contextvars.copy_context() of the handler"
        )
    if invocation.after_response is None:
        invocation.after_response = []
    invocation.after_response.append((function, args, kwargs))


# --- what the runtime calls ------------------------------------------------------------------------------------------


def has_shutdown_hooks() -> bool:
    """Whether anything waits for SIGTERM."""
    return bool(_registry.shutdown)


def run_after_response(invocation: "Invocation", function: "Function") -> None:
    """Do what was left for after the response, also what it adds itself, until the deadline is near."""
    hooks = invocation.after_response or []
    while hooks:
        hook = hooks.pop(0)
        left_ms = invocation.deadline_ms - time.time_ns() // 1_000_000 - MARGIN_MS
        if left_ms <= 0:
            function.output.warning(f"no time left for after_response: {_name(hook)} and {len(hooks)} more not run")
            break
        _attempt(hook, left_ms / 1000, "after_response", function, invocation)
    invocation.after_response = None
    function.output.flush()


def run_shutdown(function: "Function") -> None:
    """Run the shutdown hooks within their common budget."""
    hooks, _registry.shutdown = _registry.shutdown[::-1], []
    function.output.invocation = None  # what is logged from here on belongs to none
    current.set(None)
    _attempt_all(hooks, SHUTDOWN_S, "on_shutdown", function)
    function.output.flush()


def pass_snapshot(client: "RuntimeClient", function: "Function") -> "int | None":
    """Hooks, snapshot, restore, hooks. The exit status if that failed, None if the loop may begin.

    Hooks registered with AWS's `snapshot_restore_py` are run as well: there, too, before-hooks only once.
    """
    theirs = sys.modules.get("snapshot_restore_py")
    before = _registry.before_snapshot + (theirs.get_before_snapshot() if theirs else [])
    _registry.before_snapshot = []
    failed = _attempt_all(before[::-1], BEFORE_SNAPSHOT_S, "before-snapshot", function)
    if theirs:
        theirs.get_before_snapshot().clear()
    if failed is None:
        try:
            client.restore_next()
        except PlatformError as error:
            failed = error
    if failed is not None:
        fault = faults.of_init(failed, "Runtime.BeforeSnapshotError")
        client.init_error(fault.document, fault.header_type)
        return EXIT_BEFORE_SNAPSHOT
    random = sys.modules.get("random")
    if random is not None:
        random.seed()  # every environment restored from this snapshot has the same state
    after = _registry.after_restore + (theirs.get_after_restore() if theirs else [])
    failed = _attempt_all(after, AFTER_RESTORE_S, "after-restore", function)
    if failed is None:
        return None
    fault = faults.of_init(failed, "Runtime.AfterRestoreError")
    client.restore_error(fault.document, fault.header_type)
    return EXIT_AFTER_RESTORE


# --- one hook --------------------------------------------------------------------------------------------------------


def _attempt_all(hooks: "list[Hook]", budget_s: float, title: str, function: "Function") -> "BaseException | None":
    """Run all hooks within a common budget; the first failure, if any."""
    first: BaseException | None = None
    ends_at = time.monotonic() + budget_s
    for hook in hooks:
        failed = _attempt(hook, max(0.01, ends_at - time.monotonic()), title, function, None)
        first = first or failed
    return first


def _attempt(
    hook: "Hook", budget_s: float, title: str, function: "Function", invocation: "Invocation | None"
) -> "BaseException | None":
    # A shutdown that does not end by itself is ended by Lambda, without the log's last lines; so we end it.
    budget = _Budget(budget_s, hard=title == "on_shutdown")
    try:
        try:
            budget.start()
            _call(hook, function)
        finally:
            budget.stop()
    except Terminated:
        raise
    except BudgetExceeded:
        budget.stop()  # it may have come just before the timer was stopped
        failed: BaseException = TimeoutError(f"{_name(hook)} took longer than the {budget_s:.2f} s that were left")
    except BaseException as error:  # noqa: BLE001  # whatever a hook does, the others have their turn
        failed = error
    else:
        return None
    function.output.error(faults.of_hook(failed, f"{title} hook {_name(hook)}", invocation))
    return failed


def _call(hook: "Hook", function: "Function") -> None:
    call, args, kwargs = hook
    result = call(*args, **kwargs)
    if hasattr(result, "__await__"):
        function.waiter.wait_for(result)


class _Budget:
    """Interrupts the calling code after so many seconds, by the process's timer signal.

    Only the main thread can be interrupted; elsewhere (concurrency by threads) the budget is a promise.
    """

    def __init__(self, seconds: float, *, hard: bool) -> None:
        self._seconds = seconds
        self._hard = hard
        self._running = False
        self._former: Any = None
        self._interruptions = 0

    def start(self) -> None:
        """Set the timer, in the main thread."""
        import _signal  # type: ignore[import-not-found]  # the C half; `signal` itself costs 4 ms for its enums

        try:
            self._former = _signal.signal(_signal.SIGALRM, self._interrupt)
        except ValueError:  # not the main thread
            return
        self._running = True
        _signal.setitimer(_signal.ITIMER_REAL, self._seconds, REPEAT_S)

    def stop(self) -> None:
        """Take the timer back. May be called again."""
        import _signal

        self._running = False  # from here on a late signal is ignored
        if self._former is not None:
            _signal.setitimer(_signal.ITIMER_REAL, 0)
            _signal.signal(_signal.SIGALRM, self._former)
            self._former = None

    def _interrupt(self, _number: int, _frame: object) -> None:
        if not self._running:
            return
        self._interruptions += 1
        if self._hard and self._interruptions > LAST_INTERRUPTION:
            import posix

            posix._exit(0)
        raise BudgetExceeded


def _name(hook: "Hook") -> str:
    call = hook[0]
    return str(getattr(call, "__qualname__", None) or type(call).__name__)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from .client import RuntimeClient
    from .function import Function
    from .invocation import Hook, Invocation

    F = TypeVar("F", bound=Callable[..., object])
