"""What the package costs to import, and what it gives."""

import gc
import sqlite3
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest

from handlerkit import idempotency
from handlerkit.idempotency import MemoryStore, RedisStore, SQLiteStore, StoreError
from tests.handlerkit.test_imports import loaded_by

from .test_store import claim, completion


def test_importing_the_package_loads_nothing_but_itself() -> None:
    assert loaded_by("import handlerkit.idempotency") <= {"handlerkit", "handlerkit.idempotency", "__future__"}


def test_a_guarded_function_loads_nothing_heavy_before_its_first_call() -> None:
    code = """
from handlerkit.idempotency import DynamoDBStore, idempotent
@idempotent(DynamoDBStore("t"), key="key")
def work(key): pass
"""
    heavy = {"boto3", "botocore", "json", "hashlib", "ssl", "typing", "inspect", "asyncio", "dataclasses", "logging"}
    assert not loaded_by(code) & {*heavy, "threading", "pydantic", "decimal", "datetime", "enum", "jmespath"}


def test_names_are_listed_where_they_are_defined() -> None:
    from importlib import import_module

    assert sorted(idempotency._HOME) == sorted(idempotency.__all__)
    assert set(idempotency.__all__) <= set(dir(idempotency))
    for name, home in idempotency._HOME.items():
        assert name in import_module(f"handlerkit.idempotency.{home}").__all__
        assert getattr(idempotency, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = idempotency.nothing


def test_records_that_are_over_are_swept_out_of_memory() -> None:
    now = [0]
    store = MemoryStore(clock_ms=lambda: now[0])
    for number in range(1024):
        store.claim(claim(str(number)))
        store.complete(completion(str(number)))
    now[0] += 60_000
    store.claim(claim("new"))
    assert len(store) == 1
    assert store.record("new") is not None


def test_records_that_are_over_are_swept_out_of_a_file(tmp_path: Path) -> None:
    now = [0]
    store = SQLiteStore(tmp_path / "seen.db", clock_ms=lambda: now[0])
    for number in range(499):
        store.claim_many([claim(str(number))])
    now[0] += 60_000
    store.claim(claim("new"))
    assert store.record("0") is None
    assert store.record("new") is not None
    store.close()


def test_a_connection_to_a_file_is_closed_when_its_thread_ends_or_the_store_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []

    class Connection(sqlite3.Connection):
        def close(self) -> None:
            closed.append(self)
            super().close()

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Connection))
    used, may_end = Event(), Event()

    def use(stores: list[SQLiteStore], *, and_stay: bool) -> None:
        stores[0].claim(claim())
        used.set()
        if and_stay:
            may_end.wait(20)

    stores = [SQLiteStore(tmp_path / "seen.db")]
    short = Thread(target=use, args=(stores,), kwargs={"and_stay": False})
    short.start()
    short.join()
    assert len(closed) == 1
    used.clear()
    long = Thread(target=use, args=(stores,), kwargs={"and_stay": True})
    long.start()
    assert used.wait(20)
    assert len(closed) == 1
    stores.clear()
    assert len(closed) == 2
    may_end.set()
    long.join()
    ring: list[object] = [SQLiteStore(tmp_path / "seen.db")]
    ring.append(ring)
    ring[0].claim(claim())  # type: ignore[attr-defined]
    del ring
    gc.collect()
    assert len(closed) == 3


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"SQLite file .*nowhere.*unable to open"):
        SQLiteStore(tmp_path / "nowhere" / "seen.db").claim(claim())
    (tmp_path / "text.db").write_text("no database, but long enough to be looked at " * 30)
    with pytest.raises(StoreError, match="not a database"):
        SQLiteStore(tmp_path / "text.db").claim(claim())
    with pytest.raises(ValueError, match="MemoryStore keeps them in memory"):
        SQLiteStore(":memory:")


def test_redis_that_is_not_there_is_an_unknown_outcome(tmp_path: Path) -> None:
    redis = pytest.importorskip("redis")
    client = redis.Redis(unix_socket_path=str(tmp_path / "nobody.sock"), retry=None)
    store = RedisStore(client)
    for call in (lambda: store.claim(claim()), lambda: store.claim_many([claim(), claim("l")])):
        with pytest.raises(StoreError, match="Redis: ConnectionError") as caught:
            call()
        assert caught.value.outcome_is_unknown
    client.close()
    with pytest.raises(TypeError, match="is no client"):
        RedisStore(object())
    import redis.asyncio

    with pytest.raises(TypeError, match="takes the ordinary client"):
        RedisStore(redis.asyncio.Redis())


def test_redis_that_answers_a_claim_with_nothing_has_not_granted_it() -> None:
    class Silent:
        def evalsha(self, *_: object) -> list[object]:
            return []

        def pipeline(self, **_: object) -> None: ...

    with pytest.raises(StoreError, match="the claim of k left no record"):
        RedisStore(Silent()).claim(claim())


def test_a_user_of_redis_who_may_not_run_scripts_is_told_which_commands_are_needed() -> None:
    class NoPermissionError(Exception):
        pass

    class Client:
        def __init__(self, error: Exception) -> None:
            self.error = error

        def evalsha(self, *_: object) -> None:
            raise self.error

        def pipeline(self, **_: object) -> None: ...

    with pytest.raises(StoreError, match="the user needs EVALSHA") as caught:
        RedisStore(Client(NoPermissionError("no"))).claim(claim())
    assert not caught.value.outcome_is_unknown
    with pytest.raises(StoreError) as caught:
        RedisStore(Client(ValueError("what"))).claim(claim())
    assert str(caught.value) == "Redis: ValueError: what"
