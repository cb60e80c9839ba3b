"""An issuer that runs, for each test."""

from collections.abc import Iterator

import pytest

from tests.server.identity.issuer import Issuer, running


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running(Issuer()) as started:
        yield started
