"""Portfolios that are kept: what is stored, changed and removed, in a real store."""

import pytest

from server.ports.errors import EtagMismatch, NotFound
from server.ports.portfolios import PortfolioDraft
from server.ports.storage import Storage
from server.services.portfolios import Portfolios
from tests.owners import MINE, OWNER


@pytest.fixture
def portfolios(storage: Storage) -> Portfolios:
    return Portfolios(storage.portfolios)


async def test_a_portfolio_from_its_creation_to_its_end(portfolios: Portfolios) -> None:
    created = await portfolios.create(OWNER, PortfolioDraft(b"one", b"body", "x", None))
    assert await portfolios.get(OWNER, "x") == created
    changed = await portfolios.update(OWNER, "x", created.etag, lambda payload: payload + b" more")
    assert (changed.payload, changed.id) == (b"one more", "x")
    for stale in (
        portfolios.update(OWNER, "x", created.etag, lambda payload: payload),
        portfolios.delete(OWNER, "x", created.etag),
    ):
        with pytest.raises(EtagMismatch):
            await stale
    await portfolios.delete(OWNER, "x", changed.etag)
    with pytest.raises(NotFound):
        await portfolios.get(OWNER, "x")


async def test_pages_by_id(portfolios: Portfolios) -> None:
    for name in ("b", "a", "c"):
        await portfolios.create(OWNER, PortfolioDraft(b"", name.encode(), name, None))
    first = await portfolios.list(MINE, "", 2)
    rest = await portfolios.list(MINE, first.next_token, 2)
    assert [[one.id for one in page.records] for page in (first, rest)] == [["a", "b"], ["c"]]
    assert not rest.next_token
