"""Custom resources in processes of their own, under our bootstrap: the example, and a function that hangs."""

from pathlib import Path

from lambda_emulator import FunctionConfiguration, LocalLambda

from .conftest import Bucket

ROOT = Path(__file__).resolve().parents[3]

HANGING = """
import time
from handlerkit import custom_resource
from handlerkit.events import CustomResourceEvent

@custom_resource
def handler(event: CustomResourceEvent):
    time.sleep(60)
"""


def test_the_example_creates_changes_moves_and_deletes_a_zone(bucket: Bucket) -> None:
    with LocalLambda(FunctionConfiguration(handler="examples/custom_resource.handler", task_root=ROOT)) as service:

        def ask(**given: object) -> dict[str, object]:
            assert service.invoke("function", bucket.event(**given)).function_error is None
            return bucket.taken[-1]

        created = ask(properties={"Domain": "example.com"})
        assert created["Data"] == {"NameServers": "ns1.example.com,ns2.example.com"}
        zone = {"old": {"Domain": "example.com"}, "physical_resource_id": "example.com"}
        assert ask(properties={"Domain": "example.com", "Servers": 3}, **zone)["Data"] == {"Servers": 3}
        assert ask(properties={"Domain": "example.org"}, **zone)["PhysicalResourceId"] == "example.org"
        assert ask(request_type="Delete", physical_resource_id="example.com")["Status"] == "SUCCESS"
    assert len(bucket.taken) == 4


def test_a_function_that_hangs_is_answered_before_lambda_ends_it(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(HANGING)
    function = FunctionConfiguration(handler="app.handler", task_root=tmp_path, timeout_s=2)
    with LocalLambda(function) as service:
        assert service.invoke("function", bucket.event()).json()["errorType"] == "Sandbox.Timedout"
    [answer] = bucket.taken
    assert answer["Status"] == "FAILED"
    assert "did not end in time" in answer["Reason"]
