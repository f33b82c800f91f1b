"""Functions made, changed and deleted by boto3: code as a zip file, and every zip file that must not be believed."""

import base64
import io
import json
import os
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lambda_emulator import InvalidParameterValue, LocalLambda, ManualClock
from lambda_emulator import uploaded_code as uploads
from lambda_emulator.uploaded_code import UploadedCode
from tests.emulator.conftest import MakeFunction
from tests.emulator.raw_client import RawClient

Start = Callable[..., LocalLambda]
ROLE = "arn:aws:iam::123456789012:role/any"
HANDLER = "import os\ndef handler(event, context):\n    return [{answer!r}, os.environ.get('KIND'), event]\n"


def zipped(**files: str) -> bytes:
    """A zip file; `app` is `app.py`."""
    return zip_of({f"{name}.py": text for name, text in files.items()})


def zip_of(files: dict[str, str | bytes], modes: dict[str, int] | None = None) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            archive.writestr(member, text, zipfile.ZIP_DEFLATED)
    return data.getvalue()


@pytest.fixture
def service(start_lambda: Start) -> LocalLambda:
    return start_lambda(clock=ManualClock(1_000_000_000.0))


@pytest.fixture
def boto(service: LocalLambda) -> Iterator[Any]:
    client = boto3.client(
        "lambda",
        endpoint_url=service.endpoint_url,
        region_name="eu-central-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )
    yield client
    client.close()


@pytest.fixture
def create(boto: Any) -> Callable[..., Any]:
    def create(**settings: Any) -> Any:
        code = {"ZipFile": zipped(app=HANDLER.format(answer="first"))}
        given = {"Runtime": "python3.13", "Role": ROLE, "Handler": "app.handler", "Code": code, "Timeout": 20}
        return boto.create_function(**({"FunctionName": "made"} | given | settings))

    return create


def refusal(call: Callable[[], Any]) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    response = refused.value.response
    error = response["Error"]
    return response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"]


def answer_of(boto: Any, **options: Any) -> Any:
    return json.loads(boto.invoke(FunctionName="made", Payload=b"1", **options)["Payload"].read())


def test_a_function_is_made_changed_and_deleted(
    boto: Any, create: Callable[..., Any], service: LocalLambda, temporary_folder: Path
) -> None:
    made = create(Description="d", MemorySize=256, Environment={"Variables": {"KIND": "a"}}, Tags={"team": "x"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["FunctionArn"] == "arn:aws:lambda:eu-central-1:123456789012:function:made"
    shown = {name: made[name] for name in ("Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize")}
    assert shown == {
        "Runtime": "python3.13",
        "Role": ROLE,
        "Handler": "app.handler",
        "Description": "d",
        "Timeout": 20,
        "MemorySize": 256,
    }
    assert (made["State"], made["LastModified"]) == ("Active", "2001-09-09T01:46:40.000+0000")
    assert made["CodeSize"] > 0
    assert answer_of(boto) == ["first", "a", 1]
    boto.get_waiter("function_active_v2").wait(FunctionName="made")
    assert boto.get_function(FunctionName="made")["Tags"] == {"team": "x"}

    code = boto.update_function_code(FunctionName="made", ZipFile=zipped(app=HANDLER.format(answer="second")))
    assert code["CodeSha256"] != made["CodeSha256"]
    assert answer_of(boto) == ["second", "a", 1]
    changed = boto.update_function_configuration(
        FunctionName="made", Environment={"Variables": {"KIND": "b"}}, Timeout=21, Description="e"
    )
    assert (changed["Timeout"], changed["MemorySize"], changed["Description"]) == (21, 256, "e")
    assert changed["CodeSha256"] == code["CodeSha256"]
    assert answer_of(boto) == ["second", "b", 1]
    assert [each["FunctionName"] for each in boto.list_functions()["Functions"]] == ["made"]
    assert len(list(temporary_folder.glob("local-lambda-code-*"))) == 1

    boto.delete_function(FunctionName="made")
    assert refusal(lambda: boto.get_function(FunctionName="made"))[:2] == (404, "ResourceNotFoundException")


def test_versions_keep_their_code(boto: Any, create: Callable[..., Any]) -> None:
    made = create(Publish=True)
    assert (made["Version"], made["FunctionArn"].endswith(":made:1")) == ("1", True)
    update = {"FunctionName": "made", "ZipFile": zipped(app=HANDLER.format(answer="second"))}
    tried = boto.update_function_code(**update, DryRun=True)
    assert tried["CodeSha256"] != made["CodeSha256"]
    assert answer_of(boto)[0] == "first"
    assert boto.update_function_code(**update, Publish=True)["Version"] == "2"
    assert boto.publish_version(FunctionName="made", CodeSha256=tried["CodeSha256"])["Version"] == "2"
    assert [answer_of(boto, Qualifier=each)[0] for each in ("1", "2", "$LATEST")] == ["first", "second", "second"]
    hashes = [each["CodeSha256"] for each in boto.list_versions_by_function(FunctionName="made")["Versions"]]
    assert hashes == [tried["CodeSha256"], made["CodeSha256"], tried["CodeSha256"]]


def test_a_bootstrap_of_its_own_is_what_runs(boto: Any, create: Callable[..., Any]) -> None:
    script = f"""#!{os.path.realpath(sys.executable)} -S
import http.client, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    event = api.getresponse()
    event.read()
    request_id = event.getheader("Lambda-Runtime-Aws-Request-Id")
    api.request("POST", f"/2018-06-01/runtime/invocation/{{request_id}}/response", b'"own"')
    api.getresponse().read()
"""
    code = {"ZipFile": zip_of({"bootstrap": script}, {"bootstrap": stat.S_IFREG | 0o755})}
    create(Runtime="provided.al2023", Handler="any", Code=code, Publish=True)
    assert answer_of(boto) == "own"
    boto.update_function_code(FunctionName="made", ZipFile=zipped(app=HANDLER.format(answer="ours")))
    boto.update_function_configuration(FunctionName="made", Handler="app.handler")
    assert answer_of(boto)[0] == "ours"
    assert answer_of(boto, Qualifier="1") == "own"


GOOD = {"ZipFile": zipped(app="")}


@pytest.mark.parametrize(
    ("settings", "status", "code", "message"),
    [
        ({"Role": None}, 400, "ValidationException", "Value null at 'role'"),
        ({"FunctionName": None}, 400, "ValidationException", "Value null at 'functionName'"),
        ({"FunctionName": "a b"}, 400, "ValidationException", "a b"),
        ({"Handler": None}, 400, "InvalidParameterValueException", "Runtime and Handler are mandatory"),
        ({"Runtime": None}, 400, "InvalidParameterValueException", "Runtime and Handler are mandatory"),
        ({"Runtime": "nodejs22.x"}, 400, "InvalidParameterValueException", "python3.x and provided.al2023"),
        ({"Code": {"S3Bucket": "b", "S3Key": "k"}}, 400, "InvalidParameterValueException", "give ZipFile"),
        ({"Code": {"ImageUri": "i"}, "PackageType": "Image"}, 400, "InvalidParameterValueException", "no images"),
        ({"Code": {"ZipFile": b"no zip"}}, 400, "InvalidParameterValueException", "Could not unzip uploaded file."),
        ({"Code": {"ZipFile": zip_of({})}}, 400, "InvalidParameterValueException", "non-empty zip"),
        ({"Layers": ["arn:l"]}, 400, "InvalidParameterValueException", "Layers: the local Lambda has none"),
        ({"Timeout": 901}, 400, "InvalidParameterValueException", "timeout_s 901"),
        ({"MemorySize": "big"}, 400, "InvalidParameterValueException", "memory_mb 'big'"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, 400, "InvalidParameterValueException", "reserved keys"),
        ({"Environment": {"Variables": {"KEY": 1}}}, 400, "InvalidParameterValueException", "use text"),
        ({"Handler": 5}, 400, "InvalidRequestContentException", "wrong type"),
        ({"Description": 5}, 400, "InvalidRequestContentException", "Description is no text"),
        ({"TracingConfig": {"Mode": "On"}}, 400, "InvalidParameterValueException", "tracing 'On'"),
        ({"DeadLetterConfig": {"TargetArn": "x"}}, 400, "InvalidParameterValueException", "x"),
    ],
)
def test_functions_that_cannot_be(
    create: Callable[..., Any],
    settings: dict[str, Any],
    status: int,
    code: str,
    message: str,
    temporary_folder: Path,
) -> None:
    answer = refusal(lambda: create(**settings))
    assert answer[:2] == (status, code)
    assert message in answer[2]
    assert list(temporary_folder.iterdir()) == []


def test_a_name_is_given_once_and_changes_need_a_function(boto: Any, create: Callable[..., Any]) -> None:
    create()
    assert refusal(create) == (409, "ResourceConflictException", "Function already exist: made")
    for change in (boto.update_function_code, boto.update_function_configuration):
        assert refusal(partial(change, FunctionName="gone"))[:2] == (404, "ResourceNotFoundException")
    assert refusal(lambda: boto.update_function_code(FunctionName="made"))[2].endswith("give ZipFile")
    assert refusal(lambda: boto.update_function_configuration(FunctionName="made", Timeout=0))[0] == 400
    assert answer_of(boto)[0] == "first"


def test_functions_from_a_folder_take_other_settings_and_code(
    boto: Any, service: LocalLambda, make_function: MakeFunction, task_root: Path
) -> None:
    service.create_function(make_function("serve(lambda body: body)", name="made", region="eu-central-1"))
    boto.update_function_configuration(FunctionName="made", Timeout=7)
    assert answer_of(boto) == 1
    boto.update_function_code(FunctionName="made", ZipFile=zipped(app=HANDLER.format(answer="zip")))
    boto.update_function_configuration(FunctionName="made", Handler="app.handler")
    assert answer_of(boto)[0] == "zip"
    assert task_root.is_dir()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Environment": [1]}, "Environment is no object"),
        ({"Environment": {"Variables": [1]}}, "wrong type"),
        ({"LoggingConfig": "JSON"}, "LoggingConfig is no object"),
        ({"Code": {"ZipFile": "%%%"}}, "ZipFile is no base64"),
        ({"Handler": 5}, "wrong type"),
    ],
)
def test_documents_that_no_sdk_sends_are_refused(
    service: LocalLambda, changes: dict[str, Any], message: str, temporary_folder: Path
) -> None:
    code = {"ZipFile": base64.b64encode(zipped(app="")).decode()}
    document = {"FunctionName": "f", "Role": ROLE, "Runtime": "python3.13", "Handler": "a.b", "Code": code} | changes
    with RawClient(service.endpoint_url) as client:
        answer = client.call("POST", "/2015-03-31/functions", json.dumps(document).encode())
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "InvalidRequestContentException")
    assert message in answer.json()["message"]
    assert list(temporary_folder.iterdir()) == []


def test_requests_that_are_too_long_are_refused_as_such(service: LocalLambda) -> None:
    client = RawClient(service.endpoint_url.removeprefix("http://"))
    try:
        body = b"x" * (70_167_212)
        answer = client.call("POST", "/2015-03-31/functions", body)
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (413, "RequestEntityTooLargeException")
        assert "70167211 bytes for the CreateFunction operation" in answer.json()["Message"]
        small = client.call("POST", "/2015-03-31/functions", b'{"FunctionName":"f","Role":"r"}')
        assert small.status == 400
    finally:
        client.close()


# --- zip files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil.py", "a/../../evil.py", "a\\..\\evil.py", "."])
def test_names_that_lead_out_of_the_folder_are_refused(name: str, temporary_folder: Path) -> None:
    with pytest.raises(InvalidParameterValue, match="leads out of the function's folder"):
        UploadedCode(zip_of({"app.py": "", name: "evil"}))
    assert list(temporary_folder.parent.rglob("evil*")) == []
    assert list(temporary_folder.iterdir()) == []


@pytest.mark.parametrize("target", ["/etc", "..", "a/../../x", "../private-tmp-2"])
def test_links_that_lead_out_of_the_folder_are_refused(target: str, temporary_folder: Path) -> None:
    with pytest.raises(InvalidParameterValue, match="leads out of the function's folder"):
        UploadedCode(zip_of({"link": target}, {"link": stat.S_IFLNK | 0o777}))
    assert list(temporary_folder.iterdir()) == []


def test_nothing_is_written_through_a_link(temporary_folder: Path) -> None:
    files: dict[str, str | bytes] = {"a/b.py": "b", "link": "a", "link/c.py": "c"}
    with pytest.raises(InvalidParameterValue, match="Could not unzip"):
        UploadedCode(zip_of(files, {"link": stat.S_IFLNK | 0o777}))
    assert list(temporary_folder.iterdir()) == []


def test_links_and_modes_are_kept() -> None:
    code = UploadedCode(
        zip_of({"a/b.py": "b", "run": "", "link": "a/b.py"}, {"run": stat.S_IFREG | 0o4755, "link": stat.S_IFLNK})
    )
    folder = code.folder.path
    assert (folder / "link").read_text() == "b"
    assert (folder / "link").is_symlink()
    assert stat.S_IMODE((folder / "run").stat().st_mode) == 0o755
    code.folder.hold()
    code.folder.release()
    assert folder.is_dir()
    code.folder.release()
    assert not folder.exists()


def test_what_unpacks_to_too_much_is_stopped_before_it_is_there(
    monkeypatch: pytest.MonkeyPatch, temporary_folder: Path
) -> None:
    monkeypatch.setattr(uploads, "_MAX_UNZIPPED_BYTES", 3_000_000)
    bomb = zip_of({"a": b"\0" * 2_000_000, "b": b"\0" * 2_000_000})
    assert len(bomb) < 10_000
    with pytest.raises(InvalidParameterValue, match="Unzipped size must be smaller than 3000000 bytes"):
        UploadedCode(bomb)
    assert list(temporary_folder.iterdir()) == []


def test_a_zip_file_over_the_limit_is_not_even_opened() -> None:
    with pytest.raises(InvalidParameterValue, match="Zipped size must be smaller than 52428800 bytes"):
        UploadedCode(bytes(uploads.MAX_ZIP_BYTES + 1))


@pytest.mark.parametrize("cut", [1, 30, 60, -1, -10, -30])
def test_half_a_zip_file_is_none(cut: int, temporary_folder: Path) -> None:
    with pytest.raises(InvalidParameterValue, match="Could not unzip"):
        UploadedCode(zipped(app="x = 1\n" * 50)[:cut])
    assert list(temporary_folder.iterdir()) == []


def test_a_file_that_is_not_what_it_says_is_refused(temporary_folder: Path) -> None:
    data = bytearray(zip_of({"app.py": "x = 1\n"}))
    data[data.index(b"app.py") + 8] ^= 0xFF
    with pytest.raises(InvalidParameterValue, match="Could not unzip"):
        UploadedCode(bytes(data))
    assert list(temporary_folder.iterdir()) == []
