"""Hooks: snapshot, restore, shutdown, after the response; budgets, and failures that stay where they are."""

import json
import time

import pytest

from runtime import lifecycle
from runtime.invocation import Invocation
from tests.counterparts import awslambdaric_path, needs_awslambdaric
from tests.runtime.conftest import Serve, Start
from tests.runtime.platform import Platform, Reply, event, refusal

RESTORED = Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
SNAP_START = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
REGISTERED = Reply(
    b"HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: ext-1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\n\r\n{}"
)


def paths(platform: Platform) -> list[str]:
    """The requests' paths, shortened."""
    return [request.path.split("/", 2)[2].replace("runtime/", "") for request in platform.requests]


# --- after the response ---


def test_work_after_the_response_runs_when_the_response_is_delivered_and_before_the_next_event(
    start: Start, platform: Platform
) -> None:
    code = """
    from runtime import after_response
    done = []
    def handler(event, context):
        after_response(done.append, event)
        after_response(later, 1, name="x")
        return list(done)
    def later(number, name):
        print(number, name)
        input_ = open("gate").read()
        done.append(input_)
    """
    served = start(code, files={"gate": "opened"})
    platform.deliver(event(b"1"))
    served.wait_for_answers(1)
    platform.deliver(event(b"2", "id-2"))
    served.wait_for_answers(2)
    served.wait_until_idle(2)
    outcome = served.terminate()
    assert [json.loads(answer.body) for answer in outcome.answers] == [[], [1, "opened"]]
    kinds = [request.method for request in platform.requests]
    assert kinds == ["GET", "POST", "GET", "POST", "GET"]


def test_a_response_with_work_behind_it_is_delivered_before_that_work(start: Start, platform: Platform) -> None:
    code = """
    import os
    from runtime import after_response
    def handler(event, context):
        after_response(os._exit, 3)
        return "sent"
    """
    platform.deliver(event())
    outcome = start(code).end()
    assert outcome.status == 3
    assert outcome.answers[0].body == b'"sent"'


def test_work_after_the_response_runs_after_an_error_and_after_a_stream_too(serve: Serve) -> None:
    code = """
    from runtime import after_response
    def handler(event, context):
        after_response(print, "after", event)
        if event == 1: raise ValueError
        return chunks()
    def chunks():
        yield b"x"
    """
    outcome = serve(code, b"1", b"2")
    assert [line for line in outcome.stdout.splitlines() if line.startswith("after")] == ["after 1", "after 2"]


def test_async_work_after_the_response_is_awaited(serve: Serve) -> None:
    code = """
    import asyncio
    from runtime import after_response
    async def work(event):
        await asyncio.sleep(0)
        print("worked", event)
    async def handler(event, context):
        after_response(work, event)
    """
    assert serve(code, b"1", b"2").stdout == "worked 1\nworked 2\n"


def test_failing_work_is_logged_and_the_rest_is_done(serve: Serve) -> None:
    code = """
    import sys
    from runtime import after_response
    def fail(): raise ValueError("no")
    def handler(event, context):
        after_response(fail)
        after_response(sys.exit, 3)
        after_response(print, "third")
        return "fine"
    """
    outcome = serve(code, b"{}", b"{}")
    assert [answer.body for answer in outcome.answers] == [b'"fine"', b'"fine"']
    assert "\tid-1\tValueError: after_response hook fail failed: no\n" in outcome.stdout
    assert "SystemExit: after_response hook exit failed" in outcome.stdout
    assert outcome.stdout.count("third\n") == 2
    assert outcome.status == 0


def test_work_that_never_ends_is_ended_at_the_deadline(serve: Serve) -> None:
    code = """
    from runtime import after_response
    def for_ever():
        while True:
            try:
                while True: pass
            except Exception: pass
    def handler(event, context):
        after_response(for_ever)
        after_response(print, "never reached")
        return event
    """
    soon = int(time.time() * 1000) + 1_000
    outcome = serve(code, event(b"1", deadline_ms=soon), event(b"2", "id-2", deadline_ms=soon))
    assert outcome.answers[1].body == b"2"
    assert "after_response hook for_ever failed: for_ever took longer than the 0." in outcome.stdout
    assert "no time left for after_response" in outcome.stdout
    assert "never reached" not in outcome.stdout


def test_outside_of_an_invocation_after_response_says_so(serve: Serve) -> None:
    code = """
    from runtime import after_response
    try:
        after_response(print)
    except RuntimeError as error:
        message = str(error)
    def handler(event, context): return message
    """
    assert b"none is running here" in serve(code, b"{}").answers[0].body


# --- shutdown ---


def test_shutdown_hooks_run_on_sigterm_the_last_registered_first(start: Start, platform: Platform) -> None:
    code = """
    from runtime import on_shutdown
    on_shutdown(print, "first registered")
    @on_shutdown
    def second():
        print("second registered")
    async def third():
        print("asynchronous")
    on_shutdown(third)
    def handler(event, context): pass
    """
    platform.replies.append(REGISTERED)
    served = start(code)
    assert platform.wait_until(lambda platform: len(platform.requests) == 3)
    outcome = served.terminate()
    assert outcome.stdout == "asynchronous\nsecond registered\nfirst registered\n"
    assert outcome.status == 0
    assert outcome.stderr == ""


def test_registering_a_shutdown_hook_registers_the_extension_before_the_first_next(
    start: Start, platform: Platform
) -> None:
    platform.replies.append(REGISTERED)
    served = start("from runtime import on_shutdown\non_shutdown(print)\ndef handler(event, context): return 1\n")
    assert platform.wait_until(lambda platform: len(platform.requests) == 3)
    register, *waiting = platform.requests
    assert register.path == "/2020-01-01/extension/register"
    assert register.headers["lambda-extension-name"] == "handlerkit-graceful-shutdown"
    assert json.loads(register.body) == {"events": []}
    parked, polling = sorted(waiting, key=lambda request: request.path)
    assert parked.path == "/2018-06-01/runtime/invocation/next"
    assert polling.path == "/2020-01-01/extension/event/next"
    assert polling.headers["lambda-extension-identifier"] == "ext-1"
    assert polling.connection == register.connection != parked.connection
    platform.deliver(event())
    served.terminate()


def test_a_refused_extension_is_one_line_and_nothing_more(serve: Serve, platform: Platform) -> None:
    platform.replies.append(refusal(403, "Extension.TooManyExtensions"))
    code = "from runtime import on_shutdown\non_shutdown(print, 'bye')\ndef handler(event, context): return 1\n"
    outcome = serve(code, event(), answers=2)
    assert outcome.answers[1].body == b"1"
    assert outcome.stdout == "bye\n"
    assert "no SIGTERM for on_shutdown" in outcome.stderr


def test_a_shutdown_hook_that_fails_or_never_ends_does_not_stop_the_others(start: Start, platform: Platform) -> None:
    code = """
    import time
    from runtime import on_shutdown
    on_shutdown(print, "last")
    @on_shutdown
    def fail(): raise ValueError("no")
    @on_shutdown
    def hang(): time.sleep(60)
    def handler(event, context): pass
    """
    platform.replies.append(REGISTERED)
    served = start(code)
    assert platform.wait_until(lambda platform: len(platform.requests) == 3)
    outcome = served.terminate()
    assert "on_shutdown hook hang failed: hang took longer than the 0.40 s" in outcome.stdout
    assert "on_shutdown hook fail failed: no" in outcome.stdout
    assert outcome.stdout.endswith("last\n")
    assert outcome.status == 0


def test_a_function_without_hooks_does_not_load_them(serve: Serve) -> None:
    code = "import sys\ndef handler(event, context): return [m for m in sys.modules if 'lifecycle' in m]\n"
    assert serve(code, b"{}").answers[0].body == b"[]"


# --- SnapStart ---

HOOKS = """
import random
from runtime import register_after_restore, register_before_snapshot
@register_before_snapshot
def before_1(): print("before 1")
register_before_snapshot(print, "before 2")
@register_after_restore
def after_1(): print("after 1")
register_after_restore(print, "after", 2)
def handler(event, context): return "restored"
"""


def test_hooks_run_around_the_snapshot_before_the_first_event(serve: Serve, platform: Platform) -> None:
    outcome = serve(HOOKS, RESTORED, event(), answers=1, env=SNAP_START)
    assert paths(platform)[:2] == ["restore/next", "invocation/next"]
    assert outcome.stdout == "before 2\nbefore 1\nafter 1\nafter 2\n"
    assert platform.requests[0].connection != platform.requests[1].connection


def test_without_snap_start_snapshot_hooks_do_not_run(serve: Serve, platform: Platform) -> None:
    outcome = serve(HOOKS, b"{}")
    assert outcome.stdout == ""
    assert "restore/next" not in paths(platform)


def test_a_failing_before_hook_is_an_init_error_with_status_64_and_the_others_run(
    start: Start, platform: Platform
) -> None:
    code = HOOKS + "\n@register_before_snapshot\ndef fail(): raise ValueError('no')\n"
    outcome = start(code, env=SNAP_START).end()
    assert outcome.status == 64
    (answer,) = outcome.answers
    assert answer.path.endswith("/init/error")
    assert answer.headers["lambda-runtime-function-error-type"] == "Runtime.BeforeSnapshotError"
    assert json.loads(answer.body)["errorType"] == "ValueError"
    assert "before-snapshot hook fail failed: no" in outcome.stdout
    assert outcome.stdout.endswith("before 2\nbefore 1\n")


def test_a_refused_restore_is_status_64(start: Start, platform: Platform) -> None:
    platform.deliver(refusal(403))
    outcome = start(HOOKS, env=SNAP_START).end()
    assert outcome.status == 64
    assert outcome.answers[0].headers["lambda-runtime-function-error-type"] == "Runtime.BeforeSnapshotError"


def test_a_failing_after_hook_is_a_restore_error_with_status_65(start: Start, platform: Platform) -> None:
    platform.deliver(RESTORED)
    code = HOOKS + "\n@register_after_restore\ndef fail(): raise ValueError('no')\n"
    outcome = start(code, env=SNAP_START).end()
    assert outcome.status == 65
    (answer,) = outcome.answers
    assert answer.path.endswith("/restore/error")
    assert answer.headers["lambda-runtime-function-error-type"] == "Runtime.AfterRestoreError"
    assert "after 1\nafter 2\n" in outcome.stdout


@needs_awslambdaric()
def test_hooks_of_the_official_module_are_run(serve: Serve, platform: Platform) -> None:
    folder = awslambdaric_path()
    code = """
    from snapshot_restore_py import register_after_restore, register_before_snapshot
    register_before_snapshot(print, "theirs 1")
    register_before_snapshot(print, "theirs 2")
    register_after_restore(print, "restored", 3)
    def handler(event, context): return 1
    """
    outcome = serve(code, RESTORED, event(), answers=1, env={**SNAP_START, "PYTHONPATH": str(folder)})
    assert outcome.stdout == "theirs 2\ntheirs 1\nrestored 3\n"


def test_random_is_seeded_anew_after_a_restore(serve: Serve, platform: Platform) -> None:
    code = "import random\nrandom.seed(1)\nexpected = random.Random(1).random()\n"
    code += "def handler(event, context): return random.random() == expected\n"
    outcome = serve(code, RESTORED, event(), answers=1, env=SNAP_START)
    assert outcome.answers[0].body == b"false"


@pytest.mark.parametrize(
    "name", ["after_response", "on_shutdown", "register_after_restore", "register_before_snapshot"]
)
def test_the_hooks_are_public_names(name: str) -> None:
    import runtime

    assert name in runtime.__all__
    assert callable(getattr(runtime, name))


def test_work_after_the_response_may_leave_more_work(serve: Serve) -> None:
    code = """
    from runtime import after_response
    def more(left):
        print("left", left)
        if left: after_response(more, left - 1)
    def handler(event, context): after_response(more, 2)
    """
    assert serve(code, b"{}").stdout == "left 2\nleft 1\nleft 0\n"


def test_what_work_after_the_response_printed_is_out_before_the_next_event(start: Start, platform: Platform) -> None:
    code = """
    from runtime import after_response
    def handler(event, context): after_response(print, "no newline", end="")
    """
    served = start(code)
    platform.deliver(event())
    served.wait_for_answers(1)
    served.wait_until_idle(1)
    served.process.kill()
    assert served.end().stdout == "no newline"


def test_the_budgets_timer_and_signal_are_the_functions_own_again_afterwards(serve: Serve) -> None:
    code = """
    import signal
    from runtime import after_response
    def theirs(number, frame): pass
    signal.signal(signal.SIGALRM, theirs)
    def handler(event, context):
        after_response(len, ())
        return [signal.getsignal(signal.SIGALRM) is theirs, signal.getitimer(signal.ITIMER_REAL)]
    """
    assert json.loads(serve(code, b"1", b"2").answers[1].body) == [True, [0.0, 0.0]]


def test_work_that_takes_its_interruption_for_its_own_is_interrupted_again(serve: Serve) -> None:
    code = """
    import time
    from runtime import after_response
    def stubborn():
        for _ in range(3):
            try:
                time.sleep(60)
            except BaseException:
                print("swallowed")
    def handler(event, context):
        after_response(stubborn)
        return event
    """
    soon = int(time.time() * 1000) + 800
    outcome = serve(code, event(b"1", deadline_ms=soon), event(b"2", "id-2", deadline_ms=soon))
    assert outcome.answers[1].body == b"2"
    assert outcome.stdout.startswith("swallowed\nswallowed\nswallowed\n")


def test_work_after_the_response_is_given_the_time_to_the_deadline_less_a_margin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    budgets: list[float] = []
    monkeypatch.setattr(lifecycle, "_attempt", lambda _hook, budget_s, *_rest: budgets.append(budget_s))
    invocation = Invocation({"lambda-runtime-aws-request-id": "id-1"}, b"")
    now_ms = time.time_ns() // 1_000_000
    invocation.deadline_ms = now_ms + 60_000
    invocation.after_response = [(print, (), {}), (print, (), {})]

    class Function:
        """A function of which only the log is asked for."""

        class output:  # an attribute, as in the real one
            @staticmethod
            def flush() -> None:
                """Nothing is held."""

    lifecycle.run_after_response(invocation, Function())  # type: ignore[arg-type]
    assert len(budgets) == 2
    assert 30 < budgets[1] <= budgets[0] <= 60 - lifecycle.MARGIN_MS / 1000
    assert invocation.after_response is None


def test_shutdown_hooks_share_one_budget(start: Start, platform: Platform) -> None:
    code = """
    import time
    from runtime import on_shutdown
    @on_shutdown
    def second(): time.sleep(60)
    @on_shutdown
    def first(): time.sleep(60)
    def handler(event, context): pass
    """
    platform.replies.append(REGISTERED)
    served = start(code)
    assert platform.wait_until(lambda platform: len(platform.requests) == 3)
    outcome = served.terminate()
    assert "first took longer than the 0.40 s" in outcome.stdout
    assert "second took longer than the 0.01 s" in outcome.stdout


def test_the_first_hook_that_failed_is_the_one_that_is_reported(start: Start, platform: Platform) -> None:
    code = """
    from runtime import register_before_snapshot
    @register_before_snapshot
    def runs_second(): raise KeyError("second")
    @register_before_snapshot
    def runs_first(): raise ValueError("first")
    def handler(event, context): pass
    """
    outcome = start(code, env=SNAP_START).end()
    assert json.loads(outcome.answers[0].body)["errorMessage"] == "first"
    assert "KeyError: before-snapshot hook runs_second failed" in outcome.stdout


def test_a_connection_that_ends_before_the_restore_is_status_64(start: Start, platform: Platform) -> None:
    platform.deliver(Reply(b"", close=True))
    outcome = start(HOOKS, env=SNAP_START).end()
    assert outcome.status == 64
    assert "instead of answering restore/next" in json.loads(outcome.answers[0].body)["errorMessage"]


def test_an_extension_whose_registration_is_not_answered_is_one_line_and_nothing_more(
    serve: Serve, platform: Platform
) -> None:
    platform.replies.append(Reply(b"", close=True))
    code = "from runtime import on_shutdown\non_shutdown(print, 'bye')\ndef handler(event, context): return 1\n"
    outcome = serve(code, event(), answers=2)
    assert outcome.answers[1].body == b"1"
    assert outcome.stdout == "bye\n"
    assert outcome.stderr.startswith("handlerkit: no SIGTERM for on_shutdown: ")
    assert outcome.stderr.count("\n") == 1


def test_a_budget_that_runs_out_at_the_very_end_does_not_outlive_its_hook(serve: Serve) -> None:
    code = """
    import signal, sys, time
    from runtime import after_response
    def late(frame, event, argument):
        if event == "call" and frame.f_code.co_name == "stop":
            sys.setprofile(None)
            signal.raise_signal(signal.SIGALRM)
    def work(): sys.setprofile(late)
    def handler(event, context):
        if event == 1: after_response(work)
        return event
    """
    outcome = serve(code, b"1", b"2")
    assert outcome.answers[1].body == b"2"
    assert outcome.status == 0


def test_a_framework_hooks_in_without_importing_the_runtime(start: Start, platform: Platform) -> None:
    code = """
    class Framework:
        def __lambda_prepare__(self):
            print("prepared")
        def __lambda_shutdown__(self):
            print("shut down")
        def __call__(self, event, context):
            context.__lambda_after_response__(lambda: print("after", event))
            return event
    handler = Framework()
    """
    platform.replies.append(refusal(403, "Extension.TooManyExtensions"))  # which would take one of the events
    served = start(code)
    platform.deliver(event(b"1"))
    assert platform.wait_until(lambda platform: len(platform.requests) == 4)
    outcome = served.terminate()
    assert outcome.stdout.split("\n")[:3] == ["prepared", "after 1", "shut down"]
    assert outcome.status == 0
