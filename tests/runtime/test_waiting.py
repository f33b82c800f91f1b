"""`async def` handlers: one event loop for the life of the environment."""

import json

import pytest

from tests.runtime.conftest import Serve, Start
from tests.runtime.platform import Platform, event


def test_an_async_handlers_result_is_the_answer(serve: Serve) -> None:
    code = "import asyncio\nasync def handler(event, context):\n    await asyncio.sleep(0)\n    return event\n"
    outcome = serve(code, b'{"a": 1}', b"2")
    assert [answer.body for answer in outcome.answers] == [b'{"a":1}', b"2"]
    assert outcome.stderr == ""


def test_an_exception_of_an_async_handler_is_reported_like_any_other(serve: Serve) -> None:
    code = """
    import sys
    async def handler(event, context):
        if event == 1: raise ValueError("boom")
        if event == 2: sys.exit(3)
        if event == 3: raise KeyboardInterrupt
        return event
    """
    outcome = serve(code, b"1", b"2", b"3", b"4")
    documents = [json.loads(answer.body) for answer in outcome.answers[:3]]
    assert [document["errorType"] for document in documents] == ["ValueError", "SystemExit", "KeyboardInterrupt"]
    assert "in handler" in documents[0]["stackTrace"][-1]
    assert outcome.answers[3].body == b"4"
    assert outcome.stderr == ""


def test_the_trace_of_an_async_error_starts_in_user_code(serve: Serve) -> None:
    code = "async def handler(event, context): raise ValueError('boom')\n"
    document = json.loads(serve(code, b"{}").answers[0].body)
    assert "app.py" in document["stackTrace"][0]


def test_what_was_opened_in_one_invocation_is_usable_in_the_next(serve: Serve) -> None:
    code = """
    import asyncio
    connection = None
    async def answer(reader, writer):
        while data := await reader.readline():
            writer.write(data.upper())
        writer.close()
    async def handler(event, context):
        global connection, server
        if connection is None:
            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            connection = await asyncio.open_connection(*server.sockets[0].getsockname())
        reader, writer = connection
        writer.write(b"%d x\\n" % event)
        return [(await reader.readline()).decode(), id(asyncio.get_running_loop())]
    """
    bodies = [json.loads(answer.body) for answer in serve(code, b"1", b"2", b"3").answers]
    assert [body[0] for body in bodies] == ["1 X\n", "2 X\n", "3 X\n"]
    assert len({body[1] for body in bodies}) == 1


def test_a_loop_that_the_module_got_while_imported_is_the_loop_of_the_handler(serve: Serve) -> None:
    code = """
    import asyncio
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    async def handler(event, context):
        return asyncio.get_running_loop() is loop
    """
    assert serve(code, b"{}").answers[0].body == b"true"


def test_a_loop_that_the_module_used_and_closed_is_not_in_the_way(serve: Serve) -> None:
    code = """
    import asyncio
    async def prepare(): return 5
    ready = asyncio.run(prepare())
    async def handler(event, context): return ready
    """
    assert serve(code, b"{}", b"{}").answers[1].body == b"5"


def test_tasks_left_pending_are_reported_once_and_go_on_later(serve: Serve) -> None:
    code = """
    import asyncio
    done = []
    async def background(number):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        done.append(number)
    tasks = []
    async def handler(event, context):
        if event:
            tasks.append(asyncio.create_task(background(event), name="cleanup"))
        else:
            await asyncio.gather(*tasks)
        return done
    """
    outcome = serve(code, b"7", b"0", b"0")
    assert [json.loads(answer.body) for answer in outcome.answers] == [[], [7], [7]]
    (line,) = outcome.stdout.splitlines()
    assert line.startswith("[WARNING]\t")
    assert "\tid-1\t1 asyncio task still pending when the handler returned: cleanup (background)" in line


def test_pending_tasks_are_reported_in_json_too(serve: Serve) -> None:
    code = """
    import asyncio
    async def handler(event, context):
        asyncio.create_task(asyncio.sleep(60))
        handler.kept = asyncio.all_tasks()
    """
    outcome = serve(code, b"{}", env={"AWS_LAMBDA_LOG_FORMAT": "JSON"})
    record = json.loads(outcome.stdout)
    assert (record["level"], record["requestId"], record["logger"]) == ("WARNING", "id-1", "runtime")
    assert "still pending" in record["message"]
    assert outcome.status == 0


def test_context_variables_and_logs_in_tasks_belong_to_their_invocation(serve: Serve) -> None:
    code = """
    import asyncio, logging
    async def log(): logging.warning("in task")
    async def handler(event, context):
        await asyncio.gather(log(), log())
    """
    outcome = serve(code, b"1", b"2")
    assert [line.split("\t")[2] for line in outcome.stdout.splitlines()] == ["id-1", "id-1", "id-2", "id-2"]


def test_an_object_that_can_be_awaited_is_awaited(serve: Serve) -> None:
    code = """
    class Later:
        def __await__(self):
            return 5
            yield
    def handler(event, context): return Later()
    """
    assert serve(code, b"{}").answers[0].body == b"5"


def test_an_async_raw_hook_is_awaited(serve: Serve) -> None:
    code = """
    def handler(event, context): pass
    async def raw(body, context): return body + b"!"
    handler.__lambda_raw__ = raw
    """
    assert serve(code, b"x").answers[0].body == b"x!"


@pytest.mark.parametrize("code", ["def handler(e, c): return 1", "def handler(e, c):\n    yield b'x'\n"])
def test_a_handler_that_awaits_nothing_does_not_load_asyncio(serve: Serve, code: str) -> None:
    probe = "\nimport sys\nimport atexit\natexit.register(lambda: print('asyncio' in sys.modules))\n"
    assert serve(code + probe, event()).stdout == "False\n"


def test_a_task_that_stays_pending_has_its_line_in_the_first_invocation_only(serve: Serve) -> None:
    code = """
    import asyncio
    tasks = []
    async def handler(event, context):
        for number in range(event):
            tasks.append(asyncio.create_task(asyncio.Event().wait(), name=f"task-{len(tasks):02}"))
    """
    outcome = serve(code, b"1", b"0", b"12", b"0")
    first, second = outcome.stdout.splitlines()
    assert "\tid-1\t1 asyncio task still pending when the handler returned: task-00 (Event.wait)" in first
    assert "\tid-3\t12 asyncio tasks still pending when the handler returned: " in second
    assert " and 2 more; what is not awaited" in second
    assert second.count("(Event.wait)") == 10


def test_at_the_end_pending_tasks_are_cancelled_and_open_generators_closed(serve: Serve) -> None:
    code = """
    import asyncio
    async def background():
        try:
            await asyncio.Event().wait()
        finally:
            print("task ended")
    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            print("generator closed")
    kept = []
    async def handler(event, context):
        kept.extend([asyncio.create_task(background()), numbers()])
        await asyncio.sleep(0)
        return await anext(kept[1])
    """
    outcome = serve(code, b"{}")
    assert outcome.answers[0].body == b"1"
    assert outcome.stdout.splitlines()[1:] == ["task ended", "generator closed"]
    assert outcome.stderr == ""


@pytest.mark.parametrize("concurrency", [{}, {"AWS_LAMBDA_MAX_CONCURRENCY": "1", "HANDLERKIT_CONCURRENCY": "asyncio"}])
def test_a_handler_that_cancels_itself_fails_its_invocation_only(
    start: Start, platform: Platform, concurrency: dict[str, str]
) -> None:
    code = """
    import asyncio
    async def handler(event, context):
        if event: return event
        asyncio.current_task().cancel()
        await asyncio.sleep(0)
    """
    platform.deliver(event(b"0"), event(b"1", "id-2"))
    served = start(code, env=concurrency)
    served.wait_for_answers(2)
    outcome = served.terminate()
    assert json.loads(outcome.answers[0].body)["errorType"] == "CancelledError"
    assert outcome.answers[1].body == b"1"
    assert outcome.status == 0
