"""Publishing versions: one at a time of each function, its code copied where no edit reaches it."""

import asyncio
from dataclasses import replace

from lambda_emulator.dispatcher import Dispatcher
from lambda_emulator.errors import InvalidParameterValue, ResourceConflict
from lambda_emulator.functions import Function, FunctionVersion
from lambda_emulator.published_code import code_sha256, copy_code
from lambda_emulator.uploaded_code import CodeFolder

__all__ = ["Publishing"]


class Publishing:
    """Of all functions of a service."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._tasks: dict[str, asyncio.Task[FunctionVersion]] = {}

    async def publish(
        self, function: Function, description: str | None, expected_code_sha256: str | None
    ) -> FunctionVersion:
        """The next version, or the last one if nothing has changed since. Raises `InvokeError`."""
        if function.name in self._tasks:
            raise ResourceConflict(
                f"The operation cannot be performed at this time. An update is in progress for resource: {function.arn}"
            )
        work = self._publish_held(function, description, expected_code_sha256)
        task = self._tasks[function.name] = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(lambda _: self._tasks.pop(function.name))
        return await asyncio.shield(task)  # a caller that leaves must not leave half a copy

    async def close(self) -> None:
        """Wait for copies that are being made."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _publish_held(
        self, function: Function, description: str | None, expected_code_sha256: str | None
    ) -> FunctionVersion:
        """What is being copied stays, though the function may get other code meanwhile."""
        before = function.latest
        held = before.code.hold() if before.code is not None else None
        try:
            return await self._publish(function, before, description, expected_code_sha256)
        finally:
            if held is not None:
                held.release()

    async def _publish(
        self,
        function: Function,
        before: FunctionVersion,
        description: str | None,
        expected_code_sha256: str | None,
    ) -> FunctionVersion:
        latest = before.configuration
        details = before.details
        sha256 = details.get("CodeSha256") or await asyncio.to_thread(code_sha256, latest.task_root)
        if expected_code_sha256 is not None and expected_code_sha256 != sha256:
            raise InvalidParameterValue(
                f"CodeSHA256 ({expected_code_sha256}) is different from current CodeSHA256 in $LATEST ({sha256}). "
                "Please try again with the CodeSHA256 in $LATEST."
            )
        last = function.versions.get(str(function.last_number))
        if last is not None and last.code_sha256 == sha256:
            same = replace(last.configuration, version=latest.version, task_root=latest.task_root)
            if same == latest:
                return last
        copy = await asyncio.to_thread(copy_code, latest.task_root)
        configuration = replace(latest, version=str(function.last_number + 1), task_root=copy)
        version = FunctionVersion(
            configuration,
            self._dispatcher.make_pool(configuration),
            code_sha256=sha256,
            description=description or "",
            code=CodeFolder(copy),
            details=details,
        )
        self._dispatcher.functions.add_version(function, version)
        return version
