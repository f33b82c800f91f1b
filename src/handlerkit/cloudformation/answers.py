"""What CloudFormation is answered: the document, its 4,096 bytes, and the rules for physical ids. No I/O.

**Physical ids.** An id that changes has CloudFormation delete the old resource, so none changes here by accident:

- A resource is created under the id that the function names, or under one made of stack, logical id and request. It is
  the same when Lambda runs the request again, where the usual choice, the log stream's name, is another one each time.
- An update keeps the id. Another one has to be said twice: `Resource("new-id", replaces=True)`.
- A delete answers with the id that came.
- A creation that failed without naming an id gets one that is recognised when CloudFormation rolls it back, so that the
  function is not asked to delete what it has not made.
"""

from __future__ import annotations

__all__ = [
    "MAX_BYTES",
    "Resource",
    "ResourceError",
    "answer_to",
    "created_id",
    "document",
    "failure",
    "is_never_created",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# CloudFormation's limits: of the whole response body, and of the id.
MAX_BYTES = 4096
MAX_ID_BYTES = 1024
NEVER_CREATED = "handlerkit-never-created-"
# Enough to tell two requests of one stack apart, short enough for services that make names of ids.
DIGEST_CHARACTERS = 12
MAX_REASON_CHARACTERS = 2_000


class Resource:
    """What a function made: its physical id, the attributes for `Fn::GetAtt`, and whether these are secret.

    `physical_id` is None to keep the present id (update) or to have one made (create). `replaces` says that another
    id on an update is meant: CloudFormation then deletes the resource with the former one.
    """

    __slots__ = ("data", "no_echo", "physical_id", "replaces")

    def __init__(
        self,
        physical_id: str | None = None,
        data: dict[str, Any] | None = None,
        *,
        no_echo: bool = False,
        replaces: bool = False,
    ) -> None:
        self.physical_id = physical_id
        self.data = data
        self.no_echo = no_echo
        self.replaces = replaces

    def __repr__(self) -> str:
        shown = "***" if self.no_echo and self.data else repr(self.data)
        return f"Resource({self.physical_id!r}, {shown}, no_echo={self.no_echo}, replaces={self.replaces})"


class ResourceError(Exception):
    """The request failed, and the stack's user is told why.

    `physical_id` names what a failed creation has left behind: CloudFormation will have it deleted.
    """

    def __init__(self, reason: str, *, physical_id: str | None = None) -> None:
        super().__init__(reason)
        self.physical_id = physical_id


def created_id(event: dict[str, Any]) -> str:
    """The id of a resource that is created without one: the same each time the same request is run."""
    from hashlib import sha256

    known = "\n".join(str(event.get(key, "")) for key in ("StackId", "LogicalResourceId", "RequestId"))
    logical = str(event.get("LogicalResourceId") or "resource")[:200]
    return f"{logical}-{sha256(known.encode('utf-8', 'backslashreplace')).hexdigest()[:DIGEST_CHARACTERS]}"


def is_never_created(event: dict[str, Any]) -> bool:
    """Whether CloudFormation rolls back a creation that failed before there was anything."""
    return str(event.get("PhysicalResourceId") or "").startswith(NEVER_CREATED)


def answer_to(event: dict[str, Any], result: object) -> Resource:
    """The function's result as a resource with an id. Raises `ResourceError` for what cannot be answered.

    None, a dict of attributes, or a `Resource`; whatever a delete returns is not looked at.
    """
    present = _present_id(event)
    if event.get("RequestType") == "Delete":
        return Resource(present or created_id(event))
    if result is None:
        resource = Resource()
    elif isinstance(result, Resource):
        resource = result
    elif isinstance(result, dict):
        resource = Resource(data=result)
    else:
        kind = type(result).__name__
        raise ResourceError(f"the function returned a {kind}; it can be None, a dict of attributes, or a Resource")
    named: Any = resource.physical_id  # whatever the user's code put there
    if named is not None and (not isinstance(named, str) or not named):
        raise ResourceError(f"the physical id has to be a text that is not empty, not {named!r:.100}")
    if named is not None and len(named.encode("utf-8", "backslashreplace")) > MAX_ID_BYTES:
        raise ResourceError(f"the physical id is longer than {MAX_ID_BYTES} bytes: {named[:60]}…")
    if present is not None and named is not None and named != present and not resource.replaces:
        raise ResourceError(
            f"the update named another physical id ({named:.100}), which would have {present:.100} deleted: "
            "if that is meant, say Resource(..., replaces=True)"
        )
    chosen = named or present or created_id(event)
    return Resource(chosen, resource.data, no_echo=resource.no_echo, replaces=resource.replaces)


def document(event: dict[str, Any], resource: Resource) -> dict[str, Any]:
    """The answer of success. Raises `ResourceError` where its attributes are no JSON, or too many."""
    from handlerkit.reply import encoded, jsonable  # late: the JSON encoder

    made = _outline(event, "SUCCESS", resource.physical_id or created_id(event))
    if resource.no_echo:
        made["NoEcho"] = True
    if resource.data:
        if not isinstance(resource.data, dict):
            raise ResourceError(f"data has to be a dict of attributes, not a {type(resource.data).__name__}")
        try:
            made["Data"] = jsonable(resource.data)
        except (TypeError, ValueError) as error:
            raise ResourceError(f"the attributes cannot be written as JSON: {error}") from None
    size = len(encoded(made))
    if size > MAX_BYTES:
        advice = "return fewer attributes, or put them into a parameter store and return its name"
        raise ResourceError(f"the answer would have {size} bytes, of {MAX_BYTES} that CloudFormation takes: {advice}")
    return made


def failure(event: dict[str, Any], reason: str, physical_id: str | None = None) -> dict[str, Any]:
    """The answer of failure, its reason shortened until all of it fits. Never raises."""
    from handlerkit.reply import encoded

    present = physical_id or _present_id(event)
    if present is None:
        present = NEVER_CREATED + created_id(event)
    made = _outline(event, "FAILED", present)
    reason = (reason or "failed").encode("utf-8", "replace").decode()
    made["Reason"] = reason if len(reason) <= MAX_REASON_CHARACTERS else reason[: MAX_REASON_CHARACTERS - 1] + "…"
    while len(encoded(made)) > MAX_BYTES and len(made["Reason"]) > 1:
        made["Reason"] = made["Reason"][: len(made["Reason"]) // 2] + "…"
    return made


def _outline(event: dict[str, Any], status: str, physical_id: str) -> dict[str, Any]:
    given = {key: str(event.get(key, "")) for key in ("StackId", "RequestId", "LogicalResourceId")}
    return {"Status": status, "PhysicalResourceId": physical_id, **given}


def _present_id(event: dict[str, Any]) -> str | None:
    present = event.get("PhysicalResourceId")
    return present if isinstance(present, str) and present else None
