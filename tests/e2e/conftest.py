"""A server whose event loop is recorded, shared by the tests that look at it."""

from collections.abc import Callable, Iterator

import pytest
from absfin import Client

from tests.conftest import RunningServer
from tests.e2e.audit import Audit, start_audit
from tests.e2e.contract_grid import SIZES, stored_prices
from tests.e2e.raw_calls import RawCalls


@pytest.fixture(scope="session")
def audit(start_shared_server: Callable[..., RunningServer], tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """With the prices of the grid stored."""
    started = start_audit(start_shared_server, tmp_path_factory.mktemp("audit"))
    with Client(started.server.address) as client:
        client.import_prices(stored_prices(SIZES[-1]), import_id="grid")
    return started


@pytest.fixture(scope="session")
def calls(audit: Audit) -> Iterator[RawCalls]:
    """Calls to it."""
    with audit.server.channel() as channel:
        yield RawCalls(channel)
