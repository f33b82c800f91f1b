"""`AWS::Serverless::Function` with its Globals as a `ProjectFunction`; its events go to `sam_events`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lambda_emulator.http_route import HttpRoute
from lambda_emulator.project import ProjectFunction, WrongProject
from lambda_emulator.sam_events import Found, read_events
from lambda_emulator.sam_properties import Part, Properties, TemplateReading

__all__ = ["NOT_LOOKED_AT", "function_of"]

_READ: Final = frozenset(
    {"AutoPublishAlias", "CodeUri", "DeadLetterQueue", "Environment", "EventInvokeConfig", "Events",
     "FunctionName", "FunctionUrlConfig", "Handler", "ImageUri", "InlineCode", "Layers", "LoggingConfig",
     "MemorySize", "PackageType", "ReservedConcurrentExecutions", "Runtime", "Timeout", "Tracing"}
)  # fmt: skip
NOT_LOOKED_AT: Final = frozenset(
    {"Architectures", "AssumeRolePolicyDocument", "AutoPublishAliasAllProperties", "AutoPublishCodeSha256",
     "CapacityProviderConfig", "CodeSigningConfigArn", "DeploymentPreference", "Description", "FunctionScalingConfig",
     "KmsKeyArn", "PermissionsBoundary", "Policies", "PropagateTags", "PublishToLatestPublished", "RecursiveLoop",
     "Role", "RolePath", "RuntimeManagementConfig", "SourceKMSKeyArn", "Tags", "VersionDeletionPolicy",
     "VersionDescription", "VpcConfig"}
)  # fmt: skip
"""Known, and of no meaning here: what stands there need not even be possible to work out."""
_LEFT_OUT: Final = {
    "EphemeralStorage": "the temporary folder is as large as this machine's",
    "FileSystemConfigs": "no file system is mounted",
    "DurableConfig": "functions are not durable here",
    "ImageConfig": "images are not run",
    "ProvisionedConcurrencyConfig": "environments start when they are needed",
    "SnapStart": "$LATEST has no snapshot, as on Lambda",
    "TenancyConfig": "tenants share environments",
}


def function_of(part: Part, reading: TemplateReading, found: Found) -> ProjectFunction | None:
    """None for one that cannot be run here, with a note. Raises `WrongProject`."""
    given = Properties(_with_globals(part, reading), part.where)
    given.only(_READ | NOT_LOOKED_AT | _LEFT_OUT.keys(), ("Connectors",))
    if (reason := _not_run(given)) is not None:
        reading.note(f"{part.where} is left out: {reason}")
        return None
    for name, told in _LEFT_OUT.items():
        if name in given:
            reading.note(f"{part.where}: {name} is left out: {told}")
    if "Layers" in given:
        reading.note(f"{part.where}: Layers are left out: packages are those of this command's Python")
    code = _code(given, reading)
    name = given.text("FunctionName") or part.logical
    alias = given.text("AutoPublishAlias")
    read_events(part, given, name, alias, reading, found)
    _read_url(given, name, alias, reading, found)
    dead_letters = given.inner("DeadLetterQueue").only(("Type", "TargetArn"))
    return ProjectFunction(
        name=name,
        logical=part.logical,
        handler=given.needed("Handler"),
        code=code,
        where=part.where,
        environment=_variables(given, reading),
        options=_options(given, code),
        dead_letter=dead_letters.needed("TargetArn") if "DeadLetterQueue" in given else None,
        reserved_concurrency=given.number("ReservedConcurrentExecutions"),
        alias=alias,
        event_invoke=_event_invoke(given),
    )


def _with_globals(part: Part, reading: TemplateReading) -> dict[str, Any]:
    """SAM's rule: names with values are merged, lists are put together, all else is the function's own."""
    shared: Mapping[str, Any] = reading.globals.get("Function") or {}
    merged = {
        name: value
        for name, value in shared.items()
        if "*" not in part.ignored_globals and name not in part.ignored_globals
    }
    for name, value in part.properties.items():
        before = merged.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[name] = _merged(before, value)
        elif isinstance(before, list) and isinstance(value, list):
            merged[name] = [*before, *value]
        else:
            merged[name] = value
    return merged


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(one)
    for name, value in other.items():
        before = made.get(name)
        made[name] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return made


def _not_run(given: Properties) -> str | None:
    if given.text("PackageType") == "Image":
        return "images are not run: use a Zip package with Handler and CodeUri"
    if "InlineCode" in given:
        return "InlineCode is not run: put it into a file, and name its folder in CodeUri"
    runtime = given.needed("Runtime")
    if not runtime.startswith(("python3", "provided")):
        return f"{runtime} is not run, only python3.x and provided.*"
    return None


def _code(given: Properties, reading: TemplateReading) -> Path:
    uri = given.raw("CodeUri")
    if uri is None:
        uri = "."
    if not isinstance(uri, str) or uri.startswith(("s3://", "http://", "https://")):
        raise WrongProject(f"{given.where}: CodeUri {uri!r:.80} is not on this machine: name the folder of the code")
    code = (reading.file.absolute().parent / uri).resolve()
    if code.is_file():
        raise WrongProject(f"{given.where}: CodeUri {uri} is a file: name the folder that it was made from")
    if not code.is_dir():
        raise WrongProject(f"{given.where}: CodeUri {uri} is not there (looked for {code})")
    return code


def _variables(given: Properties, reading: TemplateReading) -> dict[str, str]:
    environment = given.inner("Environment").only(("Variables",))
    variables = Properties(environment.mapping("Variables"), f"{given.where}: Environment")
    made = {}
    for name in variables.names():
        value = variables.raw(name)
        text = str(value).lower() if isinstance(value, bool) else (variables.text(name) or "")
        if "{{resolve:" in text:
            reading.note(f"{variables.where}: {name} is kept as it is: {text} is not looked up")
        made[str(name)] = text
    return made


def _options(given: Properties, code: Path) -> dict[str, Any]:
    logging = given.inner("LoggingConfig").only(("LogFormat", "ApplicationLogLevel"), ("SystemLogLevel", "LogGroup"))
    options: dict[str, Any] = {
        "timeout_s": given.number("Timeout"),
        "memory_mb": given.number("MemorySize"),
        "tracing": given.text("Tracing"),
        "log_format": logging.text("LogFormat"),
        "log_level": logging.text("ApplicationLogLevel"),
    }
    if options["tracing"] == "Disabled":
        options["tracing"] = None
    runtime = given.needed("Runtime")
    if runtime.startswith("provided") and _has_own_bootstrap(code):
        options["command"] = (str(code / "bootstrap"),)
    return {name: value for name, value in options.items() if value is not None}


def _has_own_bootstrap(code: Path) -> bool:
    """One that is not ours: ours is run by this command's Python, with its packages."""
    try:
        with (code / "bootstrap").open("rb") as file:
            return b"handlerkit" not in file.read(4096)
    except OSError:
        return False


def _event_invoke(given: Properties) -> dict[str, Any]:
    config = given.inner("EventInvokeConfig").only(
        ("MaximumEventAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig")
    )
    destinations = config.inner("DestinationConfig").only(("OnSuccess", "OnFailure"))
    made: dict[str, Any] = {
        "maximum_retry_attempts": config.number("MaximumRetryAttempts"),
        "maximum_event_age_s": config.number("MaximumEventAgeInSeconds"),
    }
    for name, argument in (("OnSuccess", "on_success"), ("OnFailure", "on_failure")):
        if name in destinations:
            destination = destinations.inner(name).only(("Type", "Destination"))
            if "Destination" not in destination:
                raise WrongProject(
                    f"{destination.where} needs a Destination here: the ARN of a queue, topic or function"
                )
            made[argument] = destination.needed("Destination")
    return {name: value for name, value in made.items() if value is not None}


def _read_url(given: Properties, name: str, alias: str | None, reading: TemplateReading, found: Found) -> None:
    if "FunctionUrlConfig" not in given:
        return
    url = given.inner("FunctionUrlConfig").only(("AuthType", "InvokeMode", "Cors"))
    if "Cors" in url:
        reading.note(f"{url.where}: Cors is left out: no CORS headers are added")
    if url.text("AuthType") == "AWS_IAM":
        reading.note(f"{url.where}: AuthType AWS_IAM is left out: nobody is refused here")
    route = HttpRoute(
        function_name=name,
        kind="function_url",
        streamed=url.text("InvokeMode") == "RESPONSE_STREAM",
        qualifier=alias,
    )
    found.fronts.setdefault(f"URL of {name}", []).append(route)
