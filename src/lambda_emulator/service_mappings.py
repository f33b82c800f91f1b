"""The methods of a `LocalLambda` that have queues and streams polled."""

from typing import Any

from lambda_emulator.pollers.event_source_mapping import EventSourceMapping
from lambda_emulator.pollers.registry import EventSourceMappings
from lambda_emulator.pollers.request import api_request
from lambda_emulator.service_calls import ServiceCalls

__all__ = ["ServiceMappings"]


class ServiceMappings(ServiceCalls):
    """Create, update, delete, get, list."""

    _mappings: EventSourceMappings

    def create_event_source_mapping(
        self, function_name: str, event_source_arn: str, **settings: Any
    ) -> EventSourceMapping:
        """Poll a queue or a stream for a function.

            service.create_event_source_mapping("orders", queue_arn, batch_size=20, maximum_batching_window_s=1)

        Settings are the API's in this language: `batch_size`, `filters=[{"body": {"kind": ["order"]}}]`,
        `function_response_types=["ReportBatchItemFailures"]`, `maximum_concurrency`, `starting_position`,
        `on_failure="arn:..."`. Returns when polling has begun. Raises `InvokeError` for what Lambda refuses.
        """
        request = api_request(settings | {"function_name": function_name, "event_source_arn": event_source_arn})
        return self._submit(self._mappings.create(request)).result()

    def update_event_source_mapping(self, uuid: str, **settings: Any) -> EventSourceMapping:
        """Change settings, `enabled` among them; a stream goes on where it was."""
        return self._submit(self._mappings.update(uuid, api_request(settings))).result()

    def delete_event_source_mapping(self, uuid: str) -> EventSourceMapping:
        """Stop polling; what is in flight is finished."""
        return self._submit(self._mappings.delete(uuid)).result()

    def get_event_source_mapping(self, uuid: str) -> EventSourceMapping:
        """State and last result. Raises `ResourceNotFound`."""
        return self._do(lambda: self._mappings.get(uuid))

    def list_event_source_mappings(
        self, *, event_source_arn: str | None = None, function_name: str | None = None
    ) -> list[EventSourceMapping]:
        """All, or those of a source or a function."""
        return self._do(lambda: self._mappings.list(event_source_arn=event_source_arn, function_name=function_name))
