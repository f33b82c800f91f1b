"""What an execution environment owns besides its processes: a private `/tmp`, a log stream, the journal. It outlives
every process that runs in it, and knows how to start one.
"""

import asyncio
import shutil
import tempfile
import uuid
from pathlib import Path

from lambda_emulator.bootstrap_file import bootstrap_file
from lambda_emulator.environment_variables import extension_environment, log_stream_name, process_environment
from lambda_emulator.extensions import Extensions
from lambda_emulator.extensions_api import ExtensionsApi
from lambda_emulator.external_extensions import ExternalExtensions, executables_in
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.happenings import Happening
from lambda_emulator.journal import Journal
from lambda_emulator.platform_events import initialization_type
from lambda_emulator.process import FunctionProcess
from lambda_emulator.process_guard import ProcessGuard
from lambda_emulator.runtime_api import RuntimeApi
from lambda_emulator.runtime_life import Ending, Parts, RuntimeLife
from lambda_emulator.sessions import Session
from lambda_emulator.telemetry_api import TelemetryApi

__all__ = ["Sandbox"]


class Sandbox:
    """Made with the environment, closed with it. Making it makes the folder."""

    def __init__(self, configuration: FunctionConfiguration, guard: ProcessGuard) -> None:
        self.configuration = configuration
        self.journal = Journal(as_json=configuration.effective_log_format == "JSON")
        self.log_stream = log_stream_name(configuration.version, uuid.uuid4().hex)
        self.peak_bytes = 0
        """The most memory that any of its processes was seen to hold."""
        self.tmp = Path(tempfile.mkdtemp(prefix="local-lambda-"))
        self._guard = guard

    async def start(self, session: Session, happenings: asyncio.Queue[Happening], *, deadline_s: float) -> RuntimeLife:
        """Start processes that talk to `session`. Raises what `RuntimeLife.start` raises."""
        configuration, journal = self.configuration, self.journal
        files = executables_in(configuration.extensions)
        managed = configuration.max_concurrency is not None
        hub = journal.hub
        extensions = Extensions(happenings.put_nowait, [file.name for file in files], managed_instance=managed)
        api = RuntimeApi(
            session,
            snap_start=configuration.snap_start,
            stream_bytes_per_s=configuration.stream_bytes_per_s,
            on_next=extensions.close_registration,
            more=ExtensionsApi(extensions, configuration).routes() + TelemetryApi(extensions, hub).routes(),
        )
        external = ExternalExtensions(
            files, on_output=journal.output_of_extension, listener=happenings.put_nowait, guard=self._guard
        )

        def variables(address: str) -> dict[str, str]:
            return process_environment(
                configuration,
                runtime_api=address,
                tmp=self.tmp,
                log_stream=self.log_stream,
                initialization_type=initialization_type(configuration),
            )

        async def start_extensions(address: str) -> None:
            await external.start(extension_environment(variables(address)))

        async def start_runtime(address: str) -> FunctionProcess:
            return await FunctionProcess.start(
                configuration.command or (str(bootstrap_file()),),
                directory=configuration.task_root,
                environment=variables(address),
                on_output=journal.output,
                on_frames=journal.framed_output if configuration.telemetry_fd else None,
                guard=self._guard,
            )

        life = await RuntimeLife.start(
            Parts(
                api=api,
                extensions=extensions,
                external=external,
                hub=hub,
                happenings=happenings,
                managed_instance=managed,
            ),
            start_extensions=start_extensions,
            start_runtime=start_runtime,
            deadline_s=deadline_s,
        )
        life.watch_memory(configuration.memory_mb * 1024 * 1024)
        return life

    async def end(self, life: RuntimeLife, reason: Ending) -> None:
        """End a life that was started here."""
        await life.end(reason)
        self.measure(life)

    def measure(self, life: RuntimeLife) -> None:
        """Remember its peak, if it is one."""
        self.peak_bytes = max(self.peak_bytes, life.memory.peak_bytes())

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.tmp, ignore_errors=True)
