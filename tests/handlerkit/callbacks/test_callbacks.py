"""Outcomes that are told by a call: real boto3 clients against a local endpoint that keeps what it is sent."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from handlerkit.callbacks import Continue, Evaluation, JobError, codepipeline_job, config_rule, lifecycle_hook
from handlerkit.events import CodeDeployHookEvent, CodePipelineJobEvent, ConfigRuleEvent, EventValidationError
from handlerkit.running_loop import in_thread, is_in_loop
from handlerkit.scope import current
from handlerkit.testing import FakeContext, codepipeline_event
from handlerkit.watch import Watch

HOOK = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "h-1"}


class Api:
    """An AWS endpoint of the JSON protocols: `calls` are (operation, parameters); `status` is what it answers."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.status = 200
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.calls.append((self.headers["X-Amz-Target"].partition(".")[2], body))
                answer = b"{}" if api.status == 200 else b'{"__type": "JobNotFoundException", "message": "no such job"}'
                self.send_response(api.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
        config = Config(retries={"total_max_attempts": 1})
        self.clients = {
            name: session.client(name, endpoint_url=url, config=config)
            for name in ("codepipeline", "codedeploy", "config")
        }

    def close(self) -> None:
        for client in self.clients.values():
            client.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def shared_api() -> Iterator[Api]:
    made = Api()
    yield made
    made.close()


@pytest.fixture
def api(shared_api: Api) -> Api:
    shared_api.calls.clear()
    shared_api.status = 200
    return shared_api


class Deadline:
    def __init__(self, left_ms: int) -> None:
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


class Stage(BaseModel):
    name: str


def job(api: Api, result: Any = None, error: BaseException | None = None) -> Callable[..., None]:
    @codepipeline_job(client=api.clients["codepipeline"])
    def handler(event: CodePipelineJobEvent[Stage]) -> Any:
        if error is not None:
            raise error
        return result

    return handler


def test_a_job_that_returns_has_succeeded(api: Api) -> None:
    event = codepipeline_event(Stage(name="test"))
    job(api)(event)
    job(api, {"Image": 7})(event)
    job(api, Continue("again"))(event)
    identity = event["CodePipeline.job"]["id"]
    assert api.calls == [
        ("PutJobSuccessResult", {"jobId": identity}),
        ("PutJobSuccessResult", {"jobId": identity, "outputVariables": {"Image": "7"}}),
        ("PutJobSuccessResult", {"jobId": identity, "continuationToken": "again"}),
    ]


def test_a_job_that_raises_has_failed_with_its_words(api: Api) -> None:
    event = codepipeline_event(Stage(name="test"))
    job(api, error=JobError("no such branch", "ConfigurationError"))(event)
    job(api, error=LookupError("x" * 9_000))(event)
    [first, second] = [parameters["failureDetails"] for _, parameters in api.calls]
    assert first == {"type": "ConfigurationError", "message": "no such branch"}
    assert second["type"] == "JobFailed"
    assert second["message"].startswith("LookupError: xxx")
    assert len(second["message"]) == 5_000


def test_a_job_with_parameters_of_the_wrong_type_has_failed_with_the_field(api: Api) -> None:
    job(api)(codepipeline_event({"nam": "test"}))
    assert "name" in api.calls[0][1]["failureDetails"]["message"]


def test_a_job_that_returns_something_else_has_failed(api: Api) -> None:
    job(api, "done")(codepipeline_event(Stage(name="test")))
    assert "returned a str" in api.calls[0][1]["failureDetails"]["message"]


def test_a_job_without_time_left_has_failed_before_the_end(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    context = Deadline(120)

    @codepipeline_job(client=api.clients["codepipeline"])
    def handler(event: CodePipelineJobEvent) -> None:
        context.left_ms = 10
        waited = threading.Event()
        while not api.calls:
            waited.wait(0.005)

    handler(codepipeline_event("x"), context)
    assert [name for name, _ in api.calls] == ["PutJobFailureResult"]
    assert "did not end in time" in capsys.readouterr().err


def test_a_job_that_cannot_be_told_of_fails_the_invocation(api: Api) -> None:
    api.status = 400
    with pytest.raises(ClientError, match="no such job"):
        job(api)(codepipeline_event(Stage(name="test")))


def test_the_end_of_the_process_is_told_first(api: Api) -> None:
    with pytest.raises(SystemExit):
        job(api, error=SystemExit(1))(codepipeline_event(Stage(name="test")))
    assert [name for name, _ in api.calls] == ["PutJobFailureResult"]


@pytest.mark.parametrize("event", [None, [], {}, {"CodePipeline.job": {}}])
def test_an_event_that_is_no_job_is_refused(api: Api, event: Any) -> None:
    with pytest.raises(EventValidationError):
        job(api)(event)
    assert api.calls == []


@pytest.mark.parametrize("token", ["", "x" * 2_049])
def test_a_continuation_token_has_a_limit(token: str) -> None:
    with pytest.raises(ValueError, match="1 to 2048"):
        Continue(token)


def test_an_unknown_type_of_failure_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match="ConfigurationError"):
        JobError("no", "Oops")


RETURNS: dict[str, Any] = {"nothing": None, "variables": {"a": 1}, "more": Continue("t"), "text": "x", "number": 3}
RAISES: dict[str, BaseException] = {"error": ValueError("no"), "job": JobError("no"), "surrogate": ValueError("\ud800")}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ending=st.sampled_from([*RETURNS, *RAISES]),
    is_async=st.booleans(),
    parameters=st.sampled_from([Stage(name="a"), {"wrong": 1}, "no json"]),
    left_ms=st.none() | st.integers(10_000, 900_000),
)
def test_every_job_is_told_of_exactly_once(
    api: Api, ending: str, is_async: bool, parameters: Any, left_ms: int | None
) -> None:
    api.calls.clear()

    def plain(event: CodePipelineJobEvent[Stage]) -> Any:
        if ending in RAISES:
            raise RAISES[ending]
        return RETURNS[ending]

    async def coroutine(event: CodePipelineJobEvent[Stage]) -> Any:
        return plain(event)

    handler = codepipeline_job(client=api.clients["codepipeline"])(coroutine if is_async else plain)
    handler(codepipeline_event(parameters), None if left_ms is None else Deadline(left_ms))
    assert len(api.calls) == 1


def test_a_hook_lets_the_deployment_go_on_or_has_it_rolled_back(api: Api) -> None:
    def told(result: Any) -> str:
        @lifecycle_hook(client=api.clients["codedeploy"])
        def handler(event: CodeDeployHookEvent, context: Any) -> Any:
            if isinstance(result, Exception):
                raise result
            return result

        handler(HOOK, None)
        name, parameters = api.calls[-1]
        assert name == "PutLifecycleEventHookExecutionStatus"
        assert (parameters["deploymentId"], parameters["lifecycleEventHookExecutionId"]) == ("d-1", "h-1")
        return str(parameters["status"])

    assert [told(one) for one in (None, True, False, RuntimeError("no"))] == [
        "Succeeded",
        "Succeeded",
        "Failed",
        "Failed",
    ]


def config_event(status: str = "OK", **more: Any) -> dict[str, Any]:
    item = {
        "resourceType": "AWS::S3::Bucket",
        "resourceId": "photos",
        "configurationItemStatus": status,
        "configurationItemCaptureTime": "2026-03-04T05:06:07Z",
    }
    about = {"messageType": "ConfigurationItemChangeNotification", "configurationItem": item}
    return {
        "invokingEvent": json.dumps(about),
        "ruleParameters": '{"name": "a"}',
        "resultToken": "token",
        "accountId": "123456789012",
        "eventLeftScope": False,
        **more,
    }


def rule(api: Api, result: Any) -> Callable[..., None]:
    @config_rule(client=api.clients["config"])
    def handler(event: ConfigRuleEvent[Stage]) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    return handler


def test_a_rule_says_what_a_resource_is(api: Api) -> None:
    rule(api, Evaluation("NON_COMPLIANT", "y" * 300))(config_event())
    [(name, parameters)] = api.calls
    assert name == "PutEvaluations"
    assert parameters["ResultToken"] == "token"
    [evaluation] = parameters["Evaluations"]
    assert evaluation["ComplianceResourceType"] == "AWS::S3::Bucket"
    assert evaluation["ComplianceResourceId"] == "photos"
    assert evaluation["ComplianceType"] == "NON_COMPLIANT"
    assert len(evaluation["Annotation"]) == 256


def test_a_rule_of_many_resources_is_told_in_calls_of_a_hundred(api: Api) -> None:
    many = [Evaluation("COMPLIANT", resource_type="AWS::S3::Bucket", resource_id=str(n)) for n in range(250)]
    about = json.dumps({"messageType": "ScheduledNotification", "notificationCreationTime": "2026-03-04T05:06:07Z"})
    rule(api, many)(config_event(invokingEvent=about))
    assert [len(parameters["Evaluations"]) for _, parameters in api.calls] == [100, 100, 50]


def test_a_rule_of_the_account_is_told_of_the_account(api: Api) -> None:
    rule(api, "COMPLIANT")(config_event(invokingEvent='{"messageType": "ScheduledNotification"}'))
    [evaluation] = api.calls[0][1]["Evaluations"]
    assert (evaluation["ComplianceResourceType"], evaluation["ComplianceResourceId"]) == (
        "AWS::::Account",
        "123456789012",
    )


@pytest.mark.parametrize("event", [config_event("ResourceDeleted"), config_event(eventLeftScope=True)])
def test_a_resource_that_is_gone_is_not_evaluated(api: Api, event: Any) -> None:
    rule(api, AssertionError("called"))(event)
    assert api.calls[0][1]["Evaluations"][0]["ComplianceType"] == "NOT_APPLICABLE"


def test_a_rule_that_raises_evaluates_nothing_and_fails(api: Api) -> None:
    with pytest.raises(LookupError):
        rule(api, LookupError("no"))(config_event())
    with pytest.raises(TypeError, match="returned a NoneType"):
        rule(api, None)(config_event())
    with pytest.raises(ValueError, match="NON_COMPLIANT"):
        rule(api, "GOOD")(config_event())
    assert api.calls == []


def test_without_boto3_the_function_is_not_run_and_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)

    @lifecycle_hook
    def handler(event: CodeDeployHookEvent) -> None:
        raise AssertionError("called")

    with pytest.raises(ImportError, match="give a client="):
        handler(HOOK)


class ThreadOfCalls:
    """A client that keeps what it was told, and whether that was while an event loop waited for it."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(**parameters: Any) -> None:
            assert not is_in_loop()
            self.calls.append(f"{name} {parameters.get('status', '')}".strip())

        return call


@pytest.mark.parametrize("error", [None, ValueError("no"), asyncio.CancelledError()])
def test_coroutines_are_awaited_inside_a_loop_which_no_call_holds_up(error: BaseException | None) -> None:
    client = ThreadOfCalls()
    scopes = []

    async def outcome(event: Any, context: Any) -> Any:
        await asyncio.sleep(0)
        scopes.append(current.get())
        if error is not None:
            raise error

    async def job(event: CodePipelineJobEvent, context: Any) -> Any:
        return await outcome(event, context)

    async def hook(event: CodeDeployHookEvent, context: Any) -> Any:
        return await outcome(event, context)

    async def rule(event: ConfigRuleEvent, context: Any) -> Any:
        await outcome(event, context)
        return "COMPLIANT"

    async def all_of_them() -> list[Any]:
        together = asyncio.gather(
            codepipeline_job(client=client)(job)(codepipeline_event("x"), FakeContext()),
            lifecycle_hook(client=client)(hook)(HOOK, FakeContext()),
            config_rule(client=client)(rule)(config_event(), FakeContext()),
            config_rule(client=client)(rule)(config_event("ResourceDeleted"), FakeContext()),
            return_exceptions=True,
        )
        return list(await together)

    results = asyncio.run(all_of_them())
    if error is None:
        told = ["put_evaluations", "put_evaluations", "put_job_success_result"]
        assert results == [None] * 4
    else:
        told = ["put_evaluations", "put_job_failure_result"]
        assert isinstance(results[2], type(error))
    hooked = "Succeeded" if error is None else "Failed"
    assert sorted(client.calls) == [*told, f"put_lifecycle_event_hook_execution_status {hooked}"]
    assert len({id(scope) for scope in scopes}) == 3
    assert current.get() is None


def test_handlers_show_what_they_are() -> None:
    @codepipeline_job(client=ThreadOfCalls())
    def deploy(event: CodePipelineJobEvent) -> None: ...

    assert repr(deploy).startswith("<codepipeline_job test_handlers_show")


def test_a_job_that_fails_after_it_was_said_to_be_late_is_told_of_once(api: Api) -> None:
    context = Deadline(120)

    @codepipeline_job(client=api.clients["codepipeline"])
    def handler(event: CodePipelineJobEvent) -> None:
        context.left_ms = 10
        waited = threading.Event()
        while not api.calls:
            waited.wait(0.005)
        raise RuntimeError("and then it failed")

    handler(codepipeline_event("x"), context)
    [(name, parameters)] = api.calls
    assert name == "PutJobFailureResult"
    assert "did not end in time" in parameters["failureDetails"]["message"]


def test_an_evaluation_is_of_the_time_that_the_resource_was_recorded() -> None:
    client = Kept()
    about = json.loads(config_event()["invokingEvent"]) | {"notificationCreationTime": "2026-03-05T00:00:00Z"}
    config_rule(client=client)(lambda event: "COMPLIANT")(config_event(invokingEvent=json.dumps(about)))
    [evaluation] = client.given["Evaluations"]
    assert evaluation["OrderingTimestamp"].isoformat() == "2026-03-04T05:06:07+00:00"


class Kept:
    """A client that keeps what it was given."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def put_evaluations(self, **given: Any) -> None:
        self.given = given


def test_of_a_timeout_hardly_longer_than_the_margin_the_function_has_half() -> None:
    assert Watch(lambda: 2.0, 3.0)._margin_s == 1.0
    assert Watch(lambda: 60.0, 3.0)._margin_s == 3.0


def test_a_function_that_ends_as_the_time_does_is_not_said_to_be_late() -> None:
    answers: list[str] = []
    asked = 0

    def seconds_left() -> float:
        nonlocal asked
        asked += 1
        if asked > 1:  # the watch looks at the clock, and at that moment the function ends
            watch._over.set()
        return 1.0 if asked == 1 else 0.0

    watch = Watch(seconds_left, 0.1)
    watch.start(lambda: answers.append("late"))
    watch.stop()
    assert answers == []
    assert watch.answer is None


def test_a_step_that_waits_for_its_thread_is_taken_though_its_caller_is_cancelled() -> None:
    done: list[int] = []
    gate = threading.Event()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, gate.wait, 10)
        task = asyncio.create_task(in_thread(done.append, 1))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        await busy
        await loop.shutdown_default_executor()

    asyncio.run(run())
    assert done == [1]
