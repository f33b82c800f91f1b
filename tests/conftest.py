"""What all tests of one process have to share."""

from collections.abc import Iterator

import pytest

from lambda_emulator.embedded_aws import EmbeddedAws


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedAws]:
    """moto is heavy to import: once for each worker of the run, and there is one for the whole process."""
    with EmbeddedAws() as aws:
        yield aws
