"""What an execution environment owns besides its process: a private `/tmp`, a log stream, the log that is being
written. It outlives every process that runs in it.
"""

import asyncio
import shutil
import tempfile
import uuid
from pathlib import Path

from lambda_emulator.bootstrap_file import bootstrap_file
from lambda_emulator.environment_variables import log_stream_name, process_environment
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.happenings import Happening
from lambda_emulator.log_lines import LogBuffer
from lambda_emulator.runtime_api import RuntimeApi
from lambda_emulator.runtime_life import RuntimeLife
from lambda_emulator.sessions import Session

__all__ = ["Sandbox"]


class Sandbox:
    """Made with the environment, closed with it. Making it makes the folder."""

    def __init__(self, configuration: FunctionConfiguration) -> None:
        self.configuration = configuration
        self.log = LogBuffer()
        self.log_stream = log_stream_name(configuration.version, uuid.uuid4().hex)
        self.peak_bytes = 0
        """The most memory that any of its processes was seen to hold."""
        self.tmp = Path(tempfile.mkdtemp(prefix="local-lambda-"))

    async def start(self, session: Session, happenings: asyncio.Queue[Happening]) -> RuntimeLife:
        """Start a process that talks to `session`. Raises OSError if it cannot be started."""
        configuration = self.configuration
        kind = "snap-start" if configuration.snap_start else "on-demand"
        if configuration.max_concurrency is not None:
            kind = "lambda-managed-instances"
        life = await RuntimeLife.start(
            RuntimeApi(session, snap_start=configuration.snap_start),
            happenings,
            command=configuration.command or (str(bootstrap_file()),),
            directory=configuration.task_root,
            environment=lambda address: process_environment(
                configuration,
                runtime_api=address,
                tmp=self.tmp,
                log_stream=self.log_stream,
                initialization_type=kind,
            ),
            on_output=self.log.output,
        )
        life.watch_memory(configuration.memory_mb * 1024 * 1024)
        return life

    async def end(self, life: RuntimeLife, *, grace_s: float = 0) -> None:
        """End a process that was started here."""
        await life.end(grace_s=grace_s)
        self.measure(life)

    def measure(self, life: RuntimeLife) -> None:
        """Remember its peak, if it is one."""
        self.peak_bytes = max(self.peak_bytes, life.memory.peak_bytes())

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.tmp, ignore_errors=True)
