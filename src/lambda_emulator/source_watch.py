"""Tells which files have changed: below the folders of functions, and the project's own file. By watchfiles.

A file is watched through its folder, since editors put a new file in the place of the old one. Folders that no function
is loaded from (`.git`, `__pycache__`, virtual environments) are not looked at.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lambda_emulator.errors import LocalLambdaError

__all__ = ["SourceWatch", "WatchfilesMissing"]

# How long changes are gathered after the last one: an editor or a checkout writes several files.
_STEP_MS = 50
_DEBOUNCE_MS = 400
# How often it says that nothing has changed, by which one knows that it has begun.
_LOOK_MS = 200


class WatchfilesMissing(LocalLambdaError, ImportError):  # noqa: N818 (it is what is wrong, said in two words)
    """watchfiles is not installed."""


class SourceWatch:
    """Watches from its making until `close`; `changed` is called in a thread of its own with absolute paths.

    Raises `WatchfilesMissing`. Where the system does not let it watch, `failed` is called with the reason.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        file: Path,
        changed: Callable[[set[Path]], object],
        failed: Callable[[str], object],
    ) -> None:
        try:
            import watchfiles  # late: only where something is to be reloaded
        except ImportError as error:
            raise WatchfilesMissing(
                "watchfiles is not installed: install handlerkit[emulator], or use --no-reload"
            ) from error
        self._watchfiles = watchfiles
        self._changed, self._failed = changed, failed
        self._stop = threading.Event()
        self._threads = [
            self._start(sorted(_outermost(folders)), watchfiles.DefaultFilter(), recursive=True),
            self._start([file.parent], lambda _change, path: path == str(file), recursive=False),
        ]

    def close(self) -> None:
        """Stop watching. May be called again."""
        self._stop.set()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _start(self, folders: list[Path], watched: Any, *, recursive: bool) -> threading.Thread:
        began = threading.Event()

        def watch() -> None:
            try:
                self._watch_for_ever(folders, watched, recursive, began)
            except (OSError, RuntimeError) as error:
                self._failed(f"changes of {folders[0]} cannot be seen: {error}")
            finally:
                began.set()

        thread = threading.Thread(target=watch, name="source-watch", daemon=True)
        thread.start()
        began.wait()
        return thread

    def _watch_for_ever(self, folders: list[Path], watched: Any, recursive: bool, began: threading.Event) -> None:
        were_gone = False
        while not self._stop.is_set():
            identities = _identities(folders)
            if identities is None:  # a build deletes its folder and makes it anew
                were_gone = True
                began.set()
                self._stop.wait(_LOOK_MS / 1000)
                continue
            if were_gone:
                self._changed(set(folders))
            with contextlib.suppress(FileNotFoundError):  # gone in this very moment
                self._watch_these(folders, identities, watched, recursive, began)
            were_gone = True

    def _watch_these(
        self,
        folders: list[Path],
        identities: "list[tuple[int, int]]",
        watched: Any,
        recursive: bool,
        began: threading.Event,
    ) -> None:
        """As long as they are the same folders."""
        for changes in self._watchfiles.watch(
            *folders,
            watch_filter=watched,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=self._stop,
            rust_timeout=_LOOK_MS,
            yield_on_timeout=True,
            recursive=recursive,
        ):
            began.set()
            if changes:
                self._changed({Path(path) for _change, path in changes})
            if _identities(folders) != identities:
                return


def _identities(folders: list[Path]) -> "list[tuple[int, int]] | None":
    """By which a folder is told from another one of its name; None if one is not there."""
    try:
        return [(status.st_dev, status.st_ino) for status in (folder.stat() for folder in folders)]
    except OSError:
        return None


def _outermost(folders: Iterable[Path]) -> set[Path]:
    """Those that lie in no other one."""
    every = set(folders)
    return {folder for folder in every if not any(parent in every for parent in folder.parents)}
