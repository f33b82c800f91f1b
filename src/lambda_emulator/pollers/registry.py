"""The event source mappings of one `LocalLambda`: create, update, delete, list, and their states.

Lives in the event loop of its `LocalLambda`. A change returns when it has taken effect: what `create` returns says
`Creating`, as the API does, and a `get` right after it says `Enabled`.
"""

import asyncio
import dataclasses
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.clock import Clock
from lambda_emulator.duplicates import Duplicates
from lambda_emulator.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from lambda_emulator.pollers.event_source_mapping import EventSourceMapping, State
from lambda_emulator.pollers.invoker import FunctionInvoker
from lambda_emulator.pollers.mapping import MappingSettings
from lambda_emulator.pollers.shard import ShardState
from lambda_emulator.pollers.sqs import QueuePoller
from lambda_emulator.pollers.streams import StreamPoller
from lambda_emulator.pollers.surroundings import Surroundings

__all__ = ["EventSourceMappings"]

_NOT_UPDATABLE: Final = ("EventSourceArn", "StartingPosition", "StartingPositionTimestamp")
_NOTHING_YET: Final = "No records processed"


@dataclass(slots=True)
class _Entry:
    """A mapping and what runs for it."""

    shown: EventSourceMapping
    shards: dict[str, ShardState] = field(default_factory=dict)
    poller: QueuePoller | StreamPoller | None = None
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)


class EventSourceMappings:
    """All mappings."""

    def __init__(
        self, invoker: FunctionInvoker, aws: AwsClients | None, clock: Clock, duplicates: Duplicates | None = None
    ) -> None:
        self._invoker = invoker
        self._aws = aws
        self._clock = clock
        self._duplicates = duplicates or Duplicates()
        self._entries: dict[str, _Entry] = {}
        self._creating = asyncio.Lock()

    async def create(self, request: Mapping[str, Any]) -> EventSourceMapping:
        """From a request in the API's names. Raises `InvokeError` for what the API refuses."""
        if self._aws is None:
            raise InvalidParameterValue(
                "There is nothing to poll: make LocalLambda with aws=AwsClients(...), or with EmbeddedAws().clients."
            )
        settings = MappingSettings.of(request)
        function_arn = self._invoker.arn_of(settings.function_name)
        async with self._creating:
            self._refuse_second(settings, function_arn)
            made = EventSourceMapping(
                uuid=str(uuid.uuid4()),
                settings=settings,
                function_arn=function_arn,
                state="Creating",
                last_modified_s=self._clock.time(),
                last_processing_result=_NOTHING_YET,
            )
            entry = _Entry(made)
            poller = self._new_poller(entry)
            await poller.prepare()
            self._entries[made.uuid] = entry
            if settings.enabled:
                entry.poller = poller
                poller.start()
            self._set(entry, state="Enabled" if settings.enabled else "Disabled")
        return made

    def get(self, mapping_uuid: str) -> EventSourceMapping:
        """As it stands. Raises `ResourceNotFound`."""
        return self._entry(mapping_uuid).shown

    def list(
        self, *, event_source_arn: str | None = None, function_name: str | None = None
    ) -> "list[EventSourceMapping]":
        """All, or those of a source or a function (by name or ARN)."""
        function_arn = self._invoker.arn_of(function_name) if function_name else None
        return [
            entry.shown
            for entry in self._entries.values()
            if event_source_arn in (None, entry.shown.settings.source.text)
            and function_arn in (None, entry.shown.function_arn)
        ]

    async def update(self, mapping_uuid: str, request: Mapping[str, Any]) -> EventSourceMapping:
        """Change what the request names. Positions in a stream stay. Raises `InvokeError`."""
        entry = self._entry(mapping_uuid)
        given = {name: value for name, value in request.items() if value is not None and name != "UUID"}
        for name in _NOT_UPDATABLE:
            if name in given:
                raise InvalidParameterValue(f"{name} of an event source mapping cannot be changed: create another one")
        async with entry.changing:
            settings = MappingSettings.of(entry.shown.settings.request() | given)
            function_arn = self._invoker.arn_of(settings.function_name)
            was_enabled = entry.poller is not None
            state: State = "Updating"
            if settings.enabled != was_enabled:
                state = "Enabling" if settings.enabled else "Disabling"
            poller = self._new_poller(entry, settings, function_arn)
            if settings.enabled:
                # Before the former one is stopped: a refusal leaves everything as it was.
                await poller.prepare()
            self._set(entry, state=state)
            await self._stop(entry)
            self._set(
                entry, state=state, settings=settings, function_arn=function_arn, last_modified_s=self._clock.time()
            )
            changed = entry.shown
            if settings.enabled:
                poller = self._new_poller(entry)
                await poller.prepare()
                entry.poller = poller
                poller.start()
            self._set(entry, state="Enabled" if settings.enabled else "Disabled")
            return changed

    async def delete(self, mapping_uuid: str) -> EventSourceMapping:
        """Stop it and forget it. Raises `ResourceNotFound`."""
        entry = self._entry(mapping_uuid)
        async with entry.changing:
            self._set(entry, state="Deleting")
            await self._stop(entry)
            self._entries.pop(mapping_uuid, None)
            return entry.shown

    async def run_out(self) -> None:
        """Stop all; what is in flight is finished."""
        await asyncio.gather(*(self._stop(entry) for entry in list(self._entries.values())))

    async def close(self) -> None:
        """Stop all at once; invocations in flight are cut."""
        entries, self._entries = list(self._entries.values()), {}
        await asyncio.gather(*(self._stop(entry, at_once=True) for entry in entries))

    async def _stop(self, entry: _Entry, *, at_once: bool = False) -> None:
        poller, entry.poller = entry.poller, None
        if poller is not None:
            await poller.stop(at_once=at_once)

    def _new_poller(
        self, entry: _Entry, settings: MappingSettings | None = None, function_arn: str | None = None
    ) -> QueuePoller | StreamPoller:
        assert self._aws is not None  # without there is no mapping
        settings = settings or entry.shown.settings
        around = Surroundings(
            clock=self._clock,
            aws=self._aws,
            invoker=self._invoker,
            function_arn=function_arn or entry.shown.function_arn,
            report=lambda result: self._set(entry, last_processing_result=result),
            measure=lambda name, value: self._invoker.measure(settings.function_name, name, value),
            duplicates=self._duplicates,
        )
        if settings.source.is_queue:
            return QueuePoller(settings, around)
        return StreamPoller(settings, around, entry.shards, entry.shown.uuid)

    def _refuse_second(self, settings: MappingSettings, function_arn: str) -> None:
        for entry in self._entries.values():
            shown = entry.shown
            if shown.settings.source != settings.source or shown.function_arn != function_arn:
                continue
            source, name = settings.source, function_arn.split(":", 6)[6].split(":")[0]
            told = (
                f'An event source mapping with SQS arn (" {source.text} ") and function (" {name} ") already exists.'
                if source.is_queue
                else f'The event source arn (" {source.text} ") and function (" {name} ") provided mapping already '
                "exists."
            )
            raise ResourceConflict(f"{told} Please update or delete the existing mapping with UUID {shown.uuid}")

    def _entry(self, mapping_uuid: str) -> _Entry:
        entry = self._entries.get(mapping_uuid)
        if entry is None:
            raise ResourceNotFound("The resource you requested does not exist.")
        return entry

    def _set(self, entry: _Entry, **changes: Any) -> None:
        entry.shown = dataclasses.replace(entry.shown, **changes)
