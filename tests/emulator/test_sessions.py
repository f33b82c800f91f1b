"""The mode in which several invocations are open at once: answers are judged by their id alone."""

import asyncio
from collections.abc import Iterator

import pytest

from lambda_emulator.answer import Answer
from lambda_emulator.happenings import Happening, InitFailed, Ready
from lambda_emulator.refusals import Refusal
from lambda_emulator.runtime_state import Move
from lambda_emulator.sessions import ConcurrentSession, NoIdleWorker
from lambda_emulator.waiting import Signal
from runtime import protocol
from tests.emulator.api_under_test import ApiUnderTest, delivery
from tests.emulator.raw_client import RawClient, request_bytes
from tests.emulator.test_runtime_api import INVALID_ID, OK, STALE, error_path, forbidden, refusal, response_path, seen


@pytest.fixture
def api() -> Iterator[ApiUnderTest]:
    with ApiUnderTest(ConcurrentSession) as under_test:
        yield under_test


def waiting_worker(api: ApiUnderTest) -> RawClient:
    client = api.client()
    client.send(request_bytes("GET", protocol.NEXT))
    api.client().call("GET", protocol.PING)
    return client


def test_several_workers_wait_and_each_gets_an_event_of_its_own(api: ApiUnderTest) -> None:
    workers = [waiting_worker(api) for _ in range(3)]
    assert isinstance(api.happening(), Ready)
    assert api.happenings.empty()  # initialised once, by the first
    for number in range(3):
        api.deliver(delivery(f"id-{number}", b"%d" % number, f"nonce-{number}"))
    assert sorted(worker.answer().body for worker in workers) == [b"0", b"1", b"2"]


def test_answers_may_come_in_any_order_and_on_any_connection(api: ApiUnderTest) -> None:
    workers = [waiting_worker(api) for _ in range(2)]
    api.happening()
    api.deliver(delivery("id-a", nonce="a"))
    api.deliver(delivery("id-b", nonce="b"))
    for worker in workers:
        worker.answer()
    assert seen(workers[0].call("POST", response_path("id-b"), b"b")) == OK
    assert seen(workers[0].call("POST", error_path("id-a"), b"a")) == OK
    assert [api.answered().request_id, api.answered().request_id] == ["id-b", "id-a"]


def test_an_unknown_id_and_a_second_answer_are_refused_by_id(api: ApiUnderTest) -> None:
    worker = waiting_worker(api)
    api.happening()
    api.deliver(delivery())
    worker.answer()
    assert seen(worker.call("POST", response_path("id-9"), b"1")) == INVALID_ID
    assert seen(worker.call("POST", response_path(), b"1", {"Lambda-Runtime-Invocation-Id": "wrong"})) == STALE
    assert seen(worker.call("POST", response_path(), b"1")) == OK
    assert seen(worker.call("POST", response_path(), b"1")) == INVALID_ID
    assert seen(worker.call("POST", error_path(), b"1")) == INVALID_ID


def test_the_late_answer_of_a_timed_out_invocation_is_gone_once(api: ApiUnderTest) -> None:
    worker = waiting_worker(api)
    api.happening()
    api.deliver(delivery())
    worker.answer()
    session = api.session
    assert isinstance(session, ConcurrentSession)
    api.on_loop(lambda: session.expire("id-1"))
    assert seen(worker.call("POST", response_path(), b"1")) == STALE
    assert seen(worker.call("POST", response_path(), b"1")) == INVALID_ID


def test_without_an_idle_worker_there_is_nobody_to_deliver_to(api: ApiUnderTest) -> None:
    with pytest.raises(NoIdleWorker):
        api.deliver(delivery())
    worker = waiting_worker(api)
    api.happening()
    worker.close()
    api.awaited(lambda: api.api.server.settle(0.2))
    with pytest.raises(NoIdleWorker):
        api.deliver(delivery())


def test_the_first_init_error_wins(api: ApiUnderTest) -> None:
    client = api.client()
    assert seen(client.call("POST", protocol.INIT_ERROR, b"{}")) == OK
    assert isinstance(api.happening(), InitFailed)
    assert seen(client.call("POST", protocol.INIT_ERROR, b"{}")) == forbidden("InitError", "InitError")


def test_an_error_of_more_than_a_mebibyte_is_refused(api: ApiUnderTest) -> None:
    worker = waiting_worker(api)
    api.happening()
    api.deliver(delivery())
    worker.answer()
    assert worker.call("POST", error_path(), b"x" * (1024 * 1024 + 1)).status == 413


def test_more_than_ten_thousand_idle_workers_are_too_many() -> None:
    async def crowd() -> tuple[int, str, str]:
        session = ConcurrentSession(lambda _happening: None)
        gone = Signal()
        waiting = [asyncio.create_task(session.next(gone)) for _ in range(10_000)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as refused:
            await session.next(gone)
        gone.set()
        assert set(await asyncio.gather(*waiting)) == {None}
        return refused.value.status, refused.value.error_type, refused.value.message

    assert asyncio.run(crowd()) == (500, "Runtime.TooManyIdleRuntimes", "Too many idle runtimes")


def test_only_the_last_thousand_timeouts_are_remembered() -> None:
    async def late() -> list[int]:
        happenings: list[Happening] = []
        session = ConcurrentSession(happenings.append)
        for number in range(1001):
            asking = asyncio.create_task(session.next(Signal()))
            await asyncio.sleep(0)
            session.deliver(delivery(f"id-{number}"))
            await asking
            session.expire(f"id-{number}")
        statuses = []
        for request_id in ("id-0", "id-1"):
            with pytest.raises(Refusal) as refused:
                session.begin_answer(request_id, None, Move.RESPONSE)
            statuses.append(refused.value.status)
        return statuses

    assert asyncio.run(late()) == [400, 410]


def test_there_are_no_snapshots_of_such_environments() -> None:
    async def restore() -> list[int]:
        session = ConcurrentSession(lambda _happening: None)
        session.restored()
        with pytest.raises(Refusal) as next_refused:
            await session.restore_next(Signal())
        with pytest.raises(Refusal) as error_refused:
            session.restore_failed(Answer(payload=b""))
        return [next_refused.value.status, error_refused.value.status]

    assert asyncio.run(restore()) == [403, 403]


def test_refusals_are_json_as_go_writes_it() -> None:
    body = Refusal((400, "A&B", "<x>")).response().body
    assert body == b'{"errorMessage":"\\u003cx\\u003e","errorType":"A\\u0026B"}\n'
    assert refusal(400, "T", "m")[2] == b'{"errorMessage":"m","errorType":"T"}\n'
