"""Event source mappings over HTTP: the paths, and the documents as boto3 reads them."""

from typing import Any, Final

from lambda_emulator.errors import InvalidParameterValue
from lambda_emulator.http_message import Request
from lambda_emulator.pollers.event_source_mapping import EventSourceMapping
from lambda_emulator.pollers.registry import EventSourceMappings
from lambda_emulator.request_document import Answer, Handler, document_of

__all__ = ["MappingApi"]

_ALL: Final = "/2015-03-31/event-source-mappings"
_ONE: Final = f"{_ALL}/{{uuid}}"
_MOST_ITEMS: Final = 100


class MappingApi:
    """Handlers of its routes; raises `InvokeError` for what is refused."""

    def __init__(self, mappings: EventSourceMappings) -> None:
        self._mappings = mappings

    def table(self) -> tuple[tuple[str, str, Handler], ...]:
        """Method, path and handler of each operation; older clients have a slash at the end."""
        return (
            ("POST", _ALL, self._create),
            ("POST", f"{_ALL}/", self._create),
            ("GET", _ALL, self._list),
            ("GET", f"{_ALL}/", self._list),
            ("GET", _ONE, self._get),
            ("PUT", _ONE, self._update),
            ("DELETE", _ONE, self._delete),
        )

    async def _create(self, request: Request) -> Answer:
        return 202, _document(await self._mappings.create(document_of(request)))

    async def _get(self, request: Request) -> Answer:
        return 200, _document(self._mappings.get(request.captures["uuid"]))

    async def _update(self, request: Request) -> Answer:
        return 202, _document(await self._mappings.update(request.captures["uuid"], document_of(request)))

    async def _delete(self, request: Request) -> Answer:
        return 202, _document(await self._mappings.delete(request.captures["uuid"]))

    async def _list(self, request: Request) -> Answer:
        found = self._mappings.list(
            event_source_arn=request.query_value("EventSourceArn"), function_name=request.query_value("FunctionName")
        )
        begin, most = _page(request)
        document: dict[str, Any] = {"EventSourceMappings": [_document(each) for each in found[begin : begin + most]]}
        if begin + most < len(found):
            document["NextMarker"] = str(begin + most)
        return 200, document


def _page(request: Request) -> tuple[int, int]:
    marker, most = request.query_value("Marker") or "0", request.query_value("MaxItems") or str(_MOST_ITEMS)
    if not (marker.isascii() and marker.isdigit() and most.isascii() and most.isdigit() and int(most) > 0):
        raise InvalidParameterValue("Marker or MaxItems is not possible: use what the former page gave, and a number")
    return int(marker), min(int(most), _MOST_ITEMS)


def _document(mapping: EventSourceMapping) -> dict[str, Any]:
    return mapping.document() | {"LastModified": mapping.last_modified_s}
