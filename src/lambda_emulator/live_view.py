"""The terminal of `handlerkit serve`: one line for each thing that happens, in colour where it is a terminal.

Lines come from any thread and are written by one of its own, so that a terminal that stands still (or a pager) stops
nothing. What is too much for it is counted and left out. When its reader goes away it says so, once.
"""

import contextlib
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final, TextIO

from lambda_emulator.live_lines import Kind, Line

__all__ = ["LiveView"]

_STYLES: Final[dict[Kind, str]] = {
    "ok": "green",
    "failed": "bold red",
    "log": "dim",
    "retry": "yellow",
    "dead": "bold magenta",
    "note": "yellow",
    "reload": "cyan",
    "error": "bold red",
    "plain": "default",
    "bare": "default",
}
_MARKS: Final[dict[Kind, str]] = {"log": "| ", "retry": "retry: ", "dead": "dead letter: ", "reload": "reload: "}
_WAITING_LINES: Final = 10_000
_WIDEST_NAME: Final = 24


class LiveView:
    """From its making to `close`."""

    def __init__(
        self, out: TextIO | None = None, *, plain: bool = False, reader_gone: Callable[[], object] = lambda: None
    ) -> None:
        self._out = out or sys.stdout
        self._plain = plain or not self._out.isatty()
        self._reader_gone = reader_gone
        self._lines: queue.Queue[tuple[float, Line] | None] = queue.Queue(_WAITING_LINES)
        self.left_out = 0
        """Lines since the last one that was written."""
        self._width = 0
        self._thread = threading.Thread(target=self._write_all, name="live-view", daemon=True)
        self._thread.start()

    def align(self, functions: Iterable[str]) -> None:
        """Leave room for these names."""
        self._width = max((min(len(name), _WIDEST_NAME) for name in functions), default=0)

    def show(self, lines: Iterable[Line]) -> None:
        """Write them when their turn comes. Never waits."""
        at_s = time.time()
        for line in lines:
            try:
                self._lines.put_nowait((at_s, line))
            except queue.Full:
                self.left_out += 1

    def say(self, text: str, kind: Kind = "plain", function: str = "") -> None:
        """One line."""
        self.show([Line(kind, function, text)])

    def close(self) -> None:
        """Write what waits; gives up on a terminal that stands still."""
        try:
            self._lines.put(None, timeout=1)
        except queue.Full:
            return
        self._thread.join(timeout=2)

    def _write_all(self) -> None:
        write = self._writer()
        try:
            while (item := self._lines.get()) is not None:
                left_out, self.left_out = self.left_out, 0
                if left_out:
                    write(item[0], Line("note", "", f"{left_out:,} lines are left out: they came too fast"))
                write(*item)
        except (OSError, ValueError):  # whoever read it has gone, or it was closed
            self._forget()
            self._reader_gone()

    def _forget(self) -> None:
        """What is still buffered goes nowhere, or the interpreter would complain about it at its end."""
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (no path)
            os.dup2(nowhere.fileno(), self._out.fileno())

    def _writer(self) -> Callable[[float, Line], None]:
        if self._plain:
            return self._write_plain
        from rich.console import Console  # late: 60 ms
        from rich.text import Text

        console = Console(file=self._out, highlight=False, soft_wrap=True)

        def write(at_s: float, line: Line) -> None:
            text = Text()
            if line.kind != "bare":
                text.append(f"{_clock(at_s)} ", "dim").append(self._name(line), "bold")
            console.print(text.append(_body(line), _STYLES[line.kind]))

        return write

    def _write_plain(self, at_s: float, line: Line) -> None:
        before = "" if line.kind == "bare" else f"{_clock(at_s)} {self._name(line)}"
        text = f"{before}{_body(line)}\n"
        encoding = self._out.encoding or "utf-8"
        self._out.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._out.flush()

    def _name(self, line: Line) -> str:
        if not line.function:
            return ""
        self._width = max(self._width, min(len(line.function), _WIDEST_NAME))
        return f"{line.function:<{self._width}} "


def _clock(at_s: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at_s))


def _body(line: Line) -> str:
    return f"{_MARKS.get(line.kind, '')}{line.text}"
