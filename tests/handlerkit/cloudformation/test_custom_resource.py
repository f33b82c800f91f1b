"""Custom resources: every request is answered, once, and no physical id changes by accident."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from handlerkit import custom_resource
from handlerkit.cloudformation import AnswerNotDeliveredError, Resource, ResourceError
from handlerkit.cloudformation.answers import MAX_BYTES, NEVER_CREATED, created_id
from handlerkit.events import CustomResourceEvent, EventValidationError
from handlerkit.testing import custom_resource_event

from .conftest import Bucket


class Site(BaseModel):
    domain: str
    days: int = 1


class Deadline:
    """A context with so many milliseconds left, as far as the handler can tell."""

    aws_request_id = "1"

    def __init__(self, left_ms: int) -> None:
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


def returning(result: Any) -> Any:
    @custom_resource
    def handler(event: CustomResourceEvent) -> Any:
        return result

    return handler


def raising(error: BaseException) -> Any:
    @custom_resource
    def handler(event: CustomResourceEvent) -> Any:
        raise error

    return handler


def test_a_creation_is_answered_with_its_id_and_attributes(bucket: Bucket) -> None:
    @custom_resource
    def handler(event: CustomResourceEvent[Site]) -> Resource:
        return Resource(event.resource_properties.domain, {"Days": event.resource_properties.days})

    event = bucket.event({"domain": "example.com", "days": 30})
    result = handler(event)
    assert bucket.taken == [
        {
            "Status": "SUCCESS",
            "PhysicalResourceId": "example.com",
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "Data": {"Days": 30},
        }
    ]
    assert result == bucket.taken[0]


def test_the_put_has_no_content_type_and_no_credentials(
    bucket: Bucket, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    returning(None)(bucket.event())
    assert bucket.requests[0]["content-type"] == ""
    assert "authorization" not in bucket.requests[0]


def test_a_resource_without_an_id_gets_the_same_one_when_the_request_is_run_again(bucket: Bucket) -> None:
    event = bucket.event()
    handler = returning({"Name": "x"})
    assert handler(event)["PhysicalResourceId"] == handler(event)["PhysicalResourceId"] == created_id(event)
    other = event | {"RequestId": "another"}
    assert handler(other)["PhysicalResourceId"] != created_id(event)


def test_an_update_keeps_the_id_and_a_delete_gives_it_back(bucket: Bucket) -> None:
    handler = returning(None)

    @handler.update  # type: ignore[untyped-decorator]
    def changed(event: CustomResourceEvent) -> dict[str, str]:
        return {"Changed": "yes"}

    @handler.delete  # type: ignore[untyped-decorator]
    def removed(event: CustomResourceEvent) -> str:
        return "what a delete returns does not matter"

    handler(bucket.event(old={}, physical_resource_id="r-1"))
    handler(bucket.event(request_type="Delete", physical_resource_id="r-2"))
    assert [one["PhysicalResourceId"] for one in bucket.taken] == ["r-1", "r-2"]
    assert [one["Status"] for one in bucket.taken] == ["SUCCESS", "SUCCESS"]


def test_an_update_that_names_another_id_by_accident_fails_and_keeps_the_resource(bucket: Bucket) -> None:
    handler = returning(None)
    handler.update(lambda event: Resource("r-2"))
    handler(bucket.event(old={}, physical_resource_id="r-1"))
    assert bucket.taken[0]["Status"] == "FAILED"
    assert bucket.taken[0]["PhysicalResourceId"] == "r-1"
    assert "replaces=True" in bucket.taken[0]["Reason"]


def test_an_update_may_replace_the_resource_when_it_says_so(bucket: Bucket) -> None:
    handler = returning(None)
    handler.update(lambda event: Resource("r-2", replaces=True))
    handler(bucket.event(old={}, physical_resource_id="r-1"))
    assert (bucket.taken[0]["Status"], bucket.taken[0]["PhysicalResourceId"]) == ("SUCCESS", "r-2")


def test_an_update_without_a_function_fails_and_says_what_to_do(bucket: Bucket) -> None:
    returning(None)(bucket.event(old={}, physical_resource_id="r-1"))
    assert bucket.taken[0]["Status"] == "FAILED"
    assert "add an update function" in bucket.taken[0]["Reason"]


def test_an_exception_is_answered_with_its_words_and_the_invocation_does_not_fail(
    bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    result = raising(LookupError("no such zone"))(bucket.event())
    assert result["Reason"] == "LookupError: no such zone"
    assert bucket.taken == [result]
    assert "Traceback" in capsys.readouterr().err


def test_the_rollback_of_a_creation_that_made_nothing_does_not_run_the_delete(bucket: Bucket) -> None:
    handler = raising(RuntimeError("no"))
    deleted: list[str | None] = []
    handler.delete(lambda event: deleted.append(event.physical_resource_id))
    failed = handler(bucket.event())
    assert failed["PhysicalResourceId"].startswith(NEVER_CREATED)
    handler(bucket.event(request_type="Delete", physical_resource_id=failed["PhysicalResourceId"]))
    assert bucket.taken[-1]["Status"] == "SUCCESS"
    assert deleted == []


def test_a_creation_that_fails_half_way_names_what_is_to_be_deleted(bucket: Bucket) -> None:
    failed = raising(ResourceError("the second half failed", physical_id="half-1"))(bucket.event())
    assert (failed["PhysicalResourceId"], failed["Reason"]) == ("half-1", "the second half failed")


def test_properties_of_the_wrong_type_are_answered_with_the_field(bucket: Bucket) -> None:
    @custom_resource
    def handler(event: CustomResourceEvent[Site]) -> None:
        raise AssertionError("not called")

    handler(bucket.event({"domain": "example.com", "days": "soon"}))
    assert bucket.taken[0]["Status"] == "FAILED"
    assert "days" in bucket.taken[0]["Reason"]


def test_a_request_of_an_unknown_kind_is_answered(bucket: Bucket) -> None:
    returning(None)(bucket.event() | {"RequestType": "Import"})
    assert bucket.taken[0]["Status"] == "FAILED"
    assert "RequestType" in bucket.taken[0]["Reason"]


@pytest.mark.parametrize("event", [{}, [], None, "text", {"RequestType": "Import"}])
def test_an_event_that_is_no_request_is_refused(event: Any) -> None:
    with pytest.raises(EventValidationError, match="CustomResourceEvent"):
        returning(None)(event)


def test_attributes_over_the_limit_fail_with_the_id_of_what_was_made(bucket: Bucket) -> None:
    returning(Resource("made-1", {"Text": "x" * MAX_BYTES}))(bucket.event())
    assert bucket.taken[0]["Status"] == "FAILED"
    assert bucket.taken[0]["PhysicalResourceId"] == "made-1"
    assert f"of {MAX_BYTES} that CloudFormation takes" in bucket.taken[0]["Reason"]


@pytest.mark.parametrize("words", ["x" * 10_000, "ü" * 10_000, "\ud800" * 5_000, '"\\\n' * 4_000])
def test_a_long_reason_is_shortened_until_the_answer_fits(bucket: Bucket, words: str) -> None:
    raising(RuntimeError(words))(bucket.event())
    assert bucket.taken[0]["Reason"].endswith("…")
    assert len(bucket.bodies[0]) <= MAX_BYTES


@pytest.mark.parametrize("result", ["an id", 3, ["r"], Resource(""), Resource(7), Resource("x" * 1025)])  # type: ignore[arg-type]
def test_a_result_that_is_none_fails(bucket: Bucket, result: Any) -> None:
    returning(result)(bucket.event())
    assert bucket.taken[0]["Status"] == "FAILED"


def test_attributes_that_are_no_json_fail(bucket: Bucket) -> None:
    returning({"Value": float("nan")})(bucket.event())
    assert "cannot be written as JSON" in bucket.taken[0]["Reason"]


def test_attributes_that_are_not_echoed_are_sent_and_not_returned(bucket: Bucket) -> None:
    resource = Resource("r", {"Password": "hush"}, no_echo=True)
    result = returning(resource)(bucket.event())
    assert bucket.taken[0]["Data"] == {"Password": "hush"}
    assert bucket.taken[0]["NoEcho"] is True
    assert "hush" not in repr(result) + repr(resource)


def test_a_function_that_does_not_end_is_answered_before_the_time_is_up(
    bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    context = Deadline(60_000)
    started = threading.Event()

    @custom_resource
    def handler(event: CustomResourceEvent) -> Resource:
        context.left_ms = 10
        started.set()
        waited = threading.Event()
        while not bucket.taken:
            waited.wait(0.005)
        return Resource("late")

    # 120 ms left at first, so that the thread looks at the clock again soon, and then finds nearly nothing left.
    context.left_ms = 120
    result = handler(bucket.event(), context)
    assert started.is_set()
    assert len(bucket.taken) == 1
    assert result["Status"] == "FAILED"
    assert "did not end in time" in result["Reason"]
    assert not result["PhysicalResourceId"].startswith(NEVER_CREATED)
    assert "ended (SUCCESS) after CloudFormation had been told" in capsys.readouterr().err


def test_the_end_of_the_process_is_answered_first(bucket: Bucket) -> None:
    with pytest.raises(SystemExit):
        raising(SystemExit(3))(bucket.event())
    assert bucket.taken[0]["Status"] == "FAILED"


def test_a_busy_bucket_is_asked_again(bucket: Bucket) -> None:
    bucket.replies = [503, None]
    returning(Resource("r"))(bucket.event())
    assert [one["PhysicalResourceId"] for one in bucket.taken] == ["r"]
    assert len(bucket.bodies) == 3


def test_a_url_that_refuses_fails_the_invocation_without_showing_the_url(bucket: Bucket) -> None:
    bucket.replies = [403]
    with pytest.raises(AnswerNotDeliveredError, match="403") as raised:
        returning(None)(bucket.event())
    assert "secret" not in str(raised.value)
    assert len(bucket.bodies) == 1


def test_a_redirect_is_not_followed_with_the_answer(bucket: Bucket) -> None:
    bucket.replies = [307, 200]
    with pytest.raises(AnswerNotDeliveredError, match="307"):
        returning(None)(bucket.event())
    assert len(bucket.bodies) == 1


def test_a_bucket_that_cannot_be_reached_fails_the_invocation_within_its_time() -> None:
    event = custom_resource_event() | {"ResponseURL": "http://127.0.0.1:1/?Signature=secret"}
    with pytest.raises(AnswerNotDeliveredError, match="ConnectionError") as raised:
        returning(None)(event, Deadline(100))
    assert "secret" not in str(raised.value)


def test_a_url_that_is_none_fails_the_invocation() -> None:
    with pytest.raises(AnswerNotDeliveredError, match="no URL"):
        returning(None)(custom_resource_event() | {"ResponseURL": "nowhere"})


def test_the_provider_framework_gets_its_answer_by_return_and_failures_by_exception() -> None:
    event = custom_resource_event(provider_framework=True)
    assert returning(Resource("r", {"A": 1}))(event) == {"PhysicalResourceId": "r", "Data": {"A": 1}}
    with pytest.raises(LookupError):
        raising(LookupError("no"))(event)


def test_coroutine_functions_and_the_context_work(bucket: Bucket) -> None:
    @custom_resource(answer_margin_ms=1_000)
    async def handler(event: CustomResourceEvent, context: Any) -> dict[str, str]:
        return {"Request": context.aws_request_id}

    handler(bucket.event(), Deadline(60_000))
    assert bucket.taken[0]["Data"] == {"Request": "1"}


def test_a_second_function_for_the_same_request_is_refused() -> None:
    handler = returning(None)
    handler.update(lambda event: None)
    with pytest.raises(TypeError, match="already"):
        handler.update(lambda event: None)


def test_without_requests_the_function_is_not_run_and_the_extra_is_named(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "requests", None)
    handler = raising(AssertionError("called"))
    with pytest.raises(ImportError, match=r"handlerkit\[cloudformation\]"):
        handler.__lambda_prepare__()
    with pytest.raises(ImportError, match=r"handlerkit\[cloudformation\]"):
        handler(bucket.event())


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("cannot say")

    __repr__ = __str__


ITSELF: dict[str, Any] = {}
ITSELF["itself"] = ITSELF

ENDINGS: dict[str, Callable[[], Any]] = {
    "nothing": lambda: None,
    "attributes": lambda: {"A": 1},
    "a resource": lambda: Resource("made", {"B": [1, {"c": None}]}),
    "another resource": lambda: Resource("made", replaces=True),
    "too many attributes": lambda: {"A": "x" * 5_000},
    "no JSON": lambda: {"A": object()},
    "text": lambda: "made",
    "itself": lambda: ITSELF,
    "an error": lambda: (_ for _ in ()).throw(ValueError("no")),
    "a resource error": lambda: (_ for _ in ()).throw(ResourceError("no", physical_id="half")),
    "an unspeakable error": lambda: (_ for _ in ()).throw(Unspeakable()),
    "no recursion left": lambda: (_ for _ in ()).throw(RecursionError()),
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    request_type=st.sampled_from(["Create", "Update", "Delete", "Other", None, 3]),
    ending=st.sampled_from(sorted(ENDINGS)),
    physical_id=st.none() | st.sampled_from(["r-1", NEVER_CREATED + "x", ""]),
    busy=st.lists(st.sampled_from([500, 503, 429]), max_size=1),
    left_ms=st.none() | st.integers(5_000, 900_000),
    missing=st.sets(st.sampled_from(["StackId", "LogicalResourceId", "ResourceProperties", "RequestId"])),
    functions=st.sets(st.sampled_from(["update", "delete"])),
)
def test_every_request_is_answered_exactly_once(
    shared_bucket: Bucket,
    request_type: Any,
    ending: str,
    physical_id: str | None,
    busy: list[int],
    left_ms: int | None,
    missing: set[str],
    functions: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("handlerkit.cloudformation.delivery.FIRST_PAUSE_S", 0.001)
    bucket = shared_bucket
    bucket.taken.clear()
    bucket.bodies.clear()
    bucket.replies = list(busy)

    def function(event: CustomResourceEvent) -> Any:
        return ENDINGS[ending]()

    handler = custom_resource(function)
    for name in functions:
        getattr(handler, name)(lambda event: ENDINGS[ending]())
    event = bucket.event() | {"RequestType": request_type, "PhysicalResourceId": physical_id}
    for key in missing:
        del event[key]
    handler(event, None if left_ms is None else Deadline(left_ms))
    [answer] = bucket.taken
    assert answer["Status"] in ("SUCCESS", "FAILED")
    assert answer["PhysicalResourceId"]
    assert len(bucket.bodies[-1]) <= MAX_BYTES
    assert answer["Status"] == "SUCCESS" or answer["Reason"]
    if request_type in ("Update", "Delete") and physical_id and ending != "another resource":
        assert answer["PhysicalResourceId"] in (physical_id, "half")


def asynchronous(error: BaseException | None = None) -> Any:
    @custom_resource
    async def handler(event: CustomResourceEvent[Site]) -> Resource:
        await asyncio.sleep(0)
        if error is not None:
            raise error
        return Resource(event.resource_properties.domain, {"Days": event.resource_properties.days})

    @handler.delete
    def delete(event: CustomResourceEvent[Site]) -> None: ...

    return handler


async def _awaited(handler: Any, *events: Any) -> list[Any]:
    return await asyncio.gather(*(handler(event, Deadline(60_000)) for event in events), return_exceptions=True)


def test_coroutines_are_awaited_inside_a_loop(bucket: Bucket) -> None:
    events = [bucket.event({"domain": f"{n}.example.com"}) for n in range(3)]
    events.append(bucket.event({"domain": "x"}, request_type="Delete"))
    results = asyncio.run(_awaited(asynchronous(), *events))
    assert sorted(one["Status"] for one in bucket.taken) == ["SUCCESS"] * 4
    assert [one["PhysicalResourceId"] for one in results[:3]] == [f"{n}.example.com" for n in range(3)]
    assert asynchronous()(events[0]) == results[0]


def test_a_coroutine_that_fails_or_is_cancelled_inside_a_loop_is_told_of(bucket: Bucket) -> None:
    for error in (LookupError("no zone"), asyncio.CancelledError()):
        results = asyncio.run(_awaited(asynchronous(error), bucket.event({"domain": "a"})))
        assert bucket.taken.pop()["Reason"].startswith(type(error).__name__)
        assert isinstance(results[0], (dict, asyncio.CancelledError))
    assert bucket.taken == []


def test_a_provider_framework_gets_the_result_of_a_coroutine(bucket: Bucket) -> None:
    event = custom_resource_event({"domain": "a"})
    event.pop("ResponseURL", None)
    [result] = asyncio.run(_awaited(asynchronous(), event))
    assert result == {"PhysicalResourceId": "a", "Data": {"Days": 1}}
