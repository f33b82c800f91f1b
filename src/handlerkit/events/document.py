"""A view as a plain document, for who looks into it by paths: its JSON, with the payloads whose type is named decoded.

`SqsRecord[Order]` gives the message with the order as an object in the body's place; what no type names stays as it
travels. The view and its `raw` are not changed.
"""

from __future__ import annotations

from .view import View

__all__ = ["document_of"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .descriptor import Field


def document_of(value: Any) -> Any:
    """The dicts and lists of a view, a model or a dataclass; anything else as it is. Raises `EventValidationError`."""
    if isinstance(value, View):
        return _of_view(value)
    kind = type(value)
    if hasattr(kind, "__pydantic_serializer__"):
        return kind.__pydantic_serializer__.to_python(value, mode="json")
    if hasattr(kind, "__dataclass_fields__"):
        return {name: document_of(getattr(value, name)) for name in kind.__dataclass_fields__}
    if isinstance(value, (list, tuple)):
        return [document_of(item) for item in value]
    if isinstance(value, dict):
        return {name: document_of(item) for name, item in value.items()}
    return value


def _of_view(view: View) -> dict[str, Any]:
    document = view.raw
    for field in view._eager:
        if field.find(view.raw) is not None:
            document = _replaced(document, field, document_of(field.__get__(view, type(view))))
    return document


def _replaced(document: dict[str, Any], field: Field[Any], value: Any) -> dict[str, Any]:
    holder = document if field.inside is None else document.get(field.inside)
    is_inside = field.inside is not None and holder is not None
    if holder is None:
        holder = document  # as EventBridge Pipes flattens records
    wire = next((name for name in (field.wire, *field.also) if holder.get(name) is not None), field.wire)
    changed = {**holder, wire: value}
    return {**document, field.inside or "": changed} if is_inside else changed
