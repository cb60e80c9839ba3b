"""Portfolios that callers keep here."""

from collections.abc import Callable

from server.ports.portfolios import PortfolioDraft, PortfolioPage, PortfolioRecord, PortfolioStore
from server.ports.scope import Scope


class Portfolios:
    """Keeps portfolios."""

    def __init__(self, store: PortfolioStore) -> None:
        self._store = store

    async def create(self, owner: str, draft: PortfolioDraft) -> PortfolioRecord:
        """Stores a new portfolio."""
        return await self._store.create(owner, draft)

    async def get(self, owner: str, portfolio_id: str) -> PortfolioRecord:
        """A portfolio."""
        return await self._store.get(owner, portfolio_id)

    async def list(self, scope: Scope, token: str, size: int) -> PortfolioPage:
        """A page of portfolios by id."""
        return await self._store.list(scope, token, size)

    async def update(
        self, owner: str, portfolio_id: str, etag: str, change: Callable[[bytes], bytes]
    ) -> PortfolioRecord:
        """Changes a portfolio that is still the one that was read."""
        return await self._store.update(owner, portfolio_id, etag, change)

    async def delete(self, owner: str, portfolio_id: str, etag: str) -> None:
        """Removes a portfolio."""
        await self._store.delete(owner, portfolio_id, etag)
