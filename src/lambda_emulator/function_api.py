"""The part of Lambda's API that makes, changes, shows and deletes functions, over HTTP: documents in, documents out.

Code comes as a zip file in the request and lives in a folder of its own until the function is deleted, gets other code,
or the service is closed. A function with a `python3.x` runtime, or without a `bootstrap` of its own, runs on this
project's bootstrap; roles, tags, networks and architectures are taken and mean nothing here.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lambda_emulator.control_plane import ControlPlane
from lambda_emulator.dispatcher import Dispatcher
from lambda_emulator.errors import (
    InvalidConfiguration,
    InvalidParameterValue,
    InvalidRequestContent,
    RequestTooLarge,
    ResourceConflict,
    ResourceNotFound,
    ValidationFailed,
)
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.function_name import FunctionName
from lambda_emulator.functions import FunctionVersion
from lambda_emulator.http_message import Request
from lambda_emulator.management_documents import function_document, version_document
from lambda_emulator.request_document import Answer, Handler, document_of, required_text, text_of
from lambda_emulator.uploaded_code import CodeFolder, UploadedCode

__all__ = ["MAX_CODE_REQUEST_BYTES", "FunctionApi"]

MAX_CODE_REQUEST_BYTES = 70_167_211
"""What Lambda's API takes for an operation with code in it: 50 MB in base64, and the rest."""
_FUNCTIONS = "/2015-03-31/functions"
_FUNCTION = f"{_FUNCTIONS}/{{name}}"
_REGION = re.compile(r"Credential=[^/]*/\d{8}/([a-z0-9-]+)/lambda/")
_RUNTIME = re.compile(r"python3\.\d+|provided\.al2(023)?|provided")
_NOT_HERE = ("Layers", "ImageConfig", "FileSystemConfigs", "DurableConfig", "CapacityProviderConfig")


class FunctionApi:
    """Handlers of its routes; raises `InvokeError` for what is refused."""

    def __init__(self, dispatcher: Dispatcher, control: ControlPlane) -> None:
        self._dispatcher = dispatcher
        self._control = control
        self._changing: set[asyncio.Task[Answer]] = set()

    def table(self) -> tuple[tuple[str, str, Handler], ...]:
        """Method, path and handler of each operation."""
        return (
            ("GET", _FUNCTIONS, self._list_functions),
            ("GET", f"{_FUNCTIONS}/", self._list_functions),
            ("GET", _FUNCTION, self._get_function),
            ("DELETE", _FUNCTION, self._delete_function),
            ("GET", f"{_FUNCTION}/configuration", self._get_configuration),
            ("PUT", f"{_FUNCTION}/configuration", self._update_configuration),
        )

    def table_with_code(self) -> tuple[tuple[str, str, Handler], ...]:
        """The operations whose requests may be `MAX_CODE_REQUEST_BYTES` long."""
        return (
            ("POST", _FUNCTIONS, self._to_the_end(self._create_function)),
            ("POST", f"{_FUNCTIONS}/", self._to_the_end(self._create_function)),
            ("PUT", f"{_FUNCTION}/code", self._to_the_end(self._update_code)),
        )

    async def close(self) -> None:
        """Wait for zip files that are being unpacked."""
        await asyncio.gather(*self._changing, return_exceptions=True)

    async def _list_functions(self, _request: Request) -> Answer:
        return 200, {"Functions": [version_document(each.latest) for each in self._dispatcher.functions]}

    async def _get_function(self, request: Request) -> Answer:
        version = self._version(request)
        configuration = version.configuration
        document: dict[str, Any] = {
            "Configuration": version_document(version),
            "Code": {"RepositoryType": "S3", "Location": configuration.task_root.as_uri()},
            "Tags": dict(version.details.get("Tags") or {}),
        }
        if (reserved := self._dispatcher.limits.reserved(configuration.name)) is not None:
            document["Concurrency"] = {"ReservedConcurrentExecutions": reserved}
        return 200, document

    async def _get_configuration(self, request: Request) -> Answer:
        return 200, version_document(self._version(request))

    async def _delete_function(self, request: Request) -> Answer:
        if request.query_value("Qualifier") is not None:
            raise ValidationFailed("the local Lambda deletes functions as a whole: leave Qualifier out")
        self._control.delete_function(request.captures["name"])
        return 204, None

    async def _create_function(self, request: Request) -> Answer:
        document = await asyncio.to_thread(_code_document, request, "CreateFunction")
        name = FunctionName.parse(required_text(document, "FunctionName"))
        required_text(document, "Role")
        _check_kind(document)
        if name.name in {each.name for each in self._dispatcher.functions}:
            raise ResourceConflict(f"Function already exist: {name.name}")
        details, settings = _details(document), {"handler": "", **_settings(document)}
        code = await asyncio.to_thread(_unpacked, document.get("Code"))
        details |= self._code_details(code)
        with _released_unless_taken(code.folder) as folder:
            configuration = FunctionConfiguration(
                name=name.name,
                region=name.region or _region_of(request),
                account_id=name.account_id or "123456789012",
                task_root=folder.path,
                command=_command(folder, str(details["Runtime"])),
                **settings,
            )
            if name.name in {each.name for each in self._dispatcher.functions}:  # meanwhile
                raise ResourceConflict(f"Function already exist: {name.name}")
            self._control.create_function(configuration, code=folder.hold(), details=details)
        return 201, await self._published(configuration.name, document)

    async def _update_code(self, request: Request) -> Answer:
        document = await asyncio.to_thread(_code_document, request, "UpdateFunctionCode")
        function = self._control.function(request.captures["name"])
        code = await asyncio.to_thread(_unpacked, document)
        with _released_unless_taken(code.folder) as folder:
            if self._control.function(request.captures["name"]) is not function:
                raise ResourceNotFound(f"Function not found: {function.arn}")
            latest = function.latest
            details = {**latest.details, **self._code_details(code)}
            runtime = str(details.get("Runtime") or "provided.al2023")
            configuration = replace(latest.configuration, task_root=folder.path, command=_command(folder, runtime))
            if document.get("DryRun"):
                return 200, version_document(latest) | self._code_details(code)
            self._control.update_function(configuration, code=folder.hold(), details=details)
        return 200, await self._published(function.name, document)

    async def _update_configuration(self, request: Request) -> Answer:
        document = document_of(request)
        function = self._control.function(request.captures["name"])
        latest = function.latest
        _check_settings(document)
        details = {**latest.details, **_details(document), **self._modified()}
        settings = _settings(document)
        if latest.code is not None and "Runtime" in document:
            settings["command"] = _command(latest.code, str(document["Runtime"]))
        try:
            configuration = replace(latest.configuration, **settings)
        except InvalidConfiguration as error:
            raise InvalidParameterValue(str(error)) from error
        code = latest.code.hold() if latest.code is not None else None
        self._control.update_function(configuration, code=code, details=details)
        return 200, function_document(function)

    async def _published(self, name: str, document: Mapping[str, Any]) -> dict[str, Any]:
        if document.get("Publish"):
            return version_document(await self._control.publish_version(name))
        return function_document(self._control.function(name))

    def _to_the_end(self, handler: Callable[[Request], Coroutine[Any, Any, Answer]]) -> Handler:
        """A thread cannot be cancelled: a caller that leaves, or a service that closes, must not leave a folder."""

        async def handle(request: Request) -> Answer:
            task = asyncio.get_running_loop().create_task(handler(request))
            self._changing.add(task)
            task.add_done_callback(self._changing.discard)
            return await asyncio.shield(task)

        return handle

    def _version(self, request: Request) -> FunctionVersion:
        name = FunctionName.parse(request.captures["name"], request.query_value("Qualifier"))
        return self._dispatcher.find_version(name)

    def _code_details(self, code: UploadedCode) -> dict[str, Any]:
        return {"CodeSha256": code.sha256, "CodeSize": code.size_bytes, **self._modified()}

    def _modified(self) -> dict[str, str]:
        at = datetime.fromtimestamp(self._dispatcher.settings.clock.time(), UTC)
        return {"LastModified": at.isoformat(timespec="milliseconds").replace("+00:00", "+0000")}


class _released_unless_taken:  # noqa: N801 (it is used as a statement)
    """Gives the folder back at the end; whoever goes on with it holds it, too. Words refusals in the API's way."""

    def __init__(self, folder: CodeFolder) -> None:
        self._folder = folder

    def __enter__(self) -> CodeFolder:
        return self._folder

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._folder.release()
        if isinstance(error, InvalidConfiguration):
            raise InvalidParameterValue(str(error)) from error


def _code_document(request: Request, operation: str) -> dict[str, Any]:
    if request.body_bytes > MAX_CODE_REQUEST_BYTES:
        raise RequestTooLarge(
            f"Request must be smaller than {MAX_CODE_REQUEST_BYTES} bytes for the {operation} operation"
        )
    return document_of(request)


def _check_kind(document: Mapping[str, Any]) -> None:
    if document.get("PackageType") not in (None, "Zip"):
        raise InvalidParameterValue("the local Lambda runs no images: use PackageType Zip")
    if not document.get("Runtime") or not document.get("Handler"):
        raise InvalidParameterValue(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    _check_settings(document)


def _check_settings(document: Mapping[str, Any]) -> None:
    for name in _NOT_HERE:
        if document.get(name):
            raise InvalidParameterValue(
                f"{name}: the local Lambda has none; put the code that it brings into the zip file"
            )
    runtime = document.get("Runtime")
    if runtime is not None and not (isinstance(runtime, str) and _RUNTIME.fullmatch(runtime)):
        raise InvalidParameterValue(f"Runtime {runtime!r}: the local Lambda runs python3.x and provided.al2023")


def _unpacked(code: object) -> UploadedCode:
    data = code.get("ZipFile") if isinstance(code, dict) else None
    if not isinstance(data, str):
        raise InvalidParameterValue("the local Lambda takes code as a zip file in the request: give ZipFile")
    try:
        return UploadedCode(base64.b64decode(data, validate=True))
    except binascii.Error as error:
        raise InvalidRequestContent(f"Could not parse request body into json: ZipFile is no base64: {error}") from error


def _command(folder: CodeFolder, runtime: str) -> tuple[str, ...] | None:
    """Relative, so that it is each version's own."""
    has_one = (folder.path / "bootstrap").is_file()
    return ("./bootstrap",) if runtime.startswith("provided") and has_one else None


def _settings(document: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a configuration, of what the request names."""
    nested = {name: document.get(name) or {} for name in ("Environment", "DeadLetterConfig", "TracingConfig")}
    nested |= {name: document.get(name) or {} for name in ("SnapStart", "LoggingConfig")}
    for name, value in nested.items():
        if not isinstance(value, dict):
            raise InvalidRequestContent(f"Could not parse request body into json: {name} is no object")
    logging = nested["LoggingConfig"]
    found = {
        "handler": document.get("Handler"),
        "timeout_s": document.get("Timeout"),
        "memory_mb": document.get("MemorySize"),
        "environment": nested["Environment"].get("Variables"),
        "tracing": nested["TracingConfig"].get("Mode"),
        "log_format": logging.get("LogFormat"),
        "log_level": logging.get("ApplicationLogLevel"),
        "snap_start": {"PublishedVersions": True, "None": False}.get(str(nested["SnapStart"].get("ApplyOn"))),
    }
    if not isinstance(found["environment"], dict | None) or not isinstance(found["handler"], str | None):
        raise InvalidRequestContent("Could not parse request body into json: Handler or Variables is of the wrong type")
    settings = {name: value for name, value in found.items() if value is not None}
    if (target := nested["DeadLetterConfig"].get("TargetArn")) is not None:
        settings["dead_letter_arn"] = target or None  # an empty text takes it away
    return settings


def _details(document: Mapping[str, Any]) -> dict[str, Any]:
    """What is only shown."""
    details: dict[str, Any] = {
        name: text for name in ("Runtime", "Role", "Description") if (text := text_of(document, name)) is not None
    }
    if isinstance(document.get("Tags"), dict):
        details["Tags"] = document["Tags"]
    return details


def _region_of(request: Request) -> str:
    """Of the signature, which nobody checks."""
    match = _REGION.search(request.headers.get("authorization", ""))
    return match[1] if match else "us-east-1"
