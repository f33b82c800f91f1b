"""Sixteen processes, two hundred keys, every key offered to all of them: each effect exactly once."""

import subprocess
import sys
from pathlib import Path

import pytest

from .stores_under_test import ENVIRON, Servers

PROCESSES = 16
KEYS = 200

WORKER = """
import os, random, sys
from handlerkit.idempotency import *
kind, address, table, effects = sys.argv[1:5]
if kind == "sqlite":
    store = SQLiteStore(address, timeout_s=60)
elif kind == "redis":
    import redis
    client = redis.Redis(unix_socket_path=address)
    store = RedisStore(client)
else:
    store = DynamoDBStore(table, endpoint_url=address, timeout_s=60)
log = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
@idempotent(store, key="number", name="race")
def effect(number):
    os.write(log, b"%d\\n" % number)
    return number
numbers = list(range(int(sys.argv[5])))
random.Random(os.getpid()).shuffle(numbers)
sys.stdin.readline()
refused = 0
for number in numbers:
    try:
        assert effect(number) == number
    except AlreadyInProgressError:
        refused += 1
"""


@pytest.mark.parametrize("kind", ["sqlite", "redis", "dynamodb"])
def test_each_effect_happens_once_among_sixteen_processes(kind: str, servers: Servers, tmp_path: Path) -> None:
    table = servers.table() if kind == "dynamodb" else "-"
    address = {"sqlite": lambda: str(tmp_path / "race.db"), "redis": servers.redis, "dynamodb": servers.dynamodb}[
        kind
    ]()
    effects = tmp_path / "effects"
    arguments = [sys.executable, "-c", WORKER, kind, address, table, str(effects), str(KEYS)]
    path = str(Path(__file__).resolve().parents[3] / "src")
    environment = {**ENVIRON, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
    workers = [
        subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        for _ in range(PROCESSES)
    ]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(b"\n")
        worker.stdin.flush()
    for worker in workers:
        _, said = worker.communicate(timeout=110)
        assert worker.returncode == 0, said.decode()
    assert sorted(int(line) for line in effects.read_text().split()) == list(range(KEYS))
