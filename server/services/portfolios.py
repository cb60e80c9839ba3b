"""Portfolios that callers keep here."""

from collections.abc import Callable

from server.ports.portfolios import PortfolioDraft, PortfolioPage, PortfolioRecord, PortfolioStore


class Portfolios:
    """Keeps portfolios."""

    def __init__(self, store: PortfolioStore) -> None:
        self._store = store

    async def create(self, draft: PortfolioDraft) -> PortfolioRecord:
        """Stores a new portfolio."""
        return await self._store.create(draft)

    async def get(self, portfolio_id: str) -> PortfolioRecord:
        """A portfolio."""
        return await self._store.get(portfolio_id)

    async def list(self, after: str, size: int) -> PortfolioPage:
        """A page of portfolios by id."""
        return await self._store.list(after, size)

    async def update(self, portfolio_id: str, etag: str, change: Callable[[bytes], bytes]) -> PortfolioRecord:
        """Changes a portfolio that is still the one that was read."""
        return await self._store.update(portfolio_id, etag, change)

    async def delete(self, portfolio_id: str, etag: str) -> None:
        """Removes a portfolio."""
        await self._store.delete(portfolio_id, etag)
