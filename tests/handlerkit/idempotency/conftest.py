"""Every store in turn, and the servers behind some of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handlerkit.idempotency import Store

from .stores_under_test import STORES, Clock, Servers, store_of


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path, servers: Servers) -> Iterator[Store]:
    with store_of(request.param, clock, tmp_path, servers) as store:
        yield store
