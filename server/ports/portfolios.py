"""Portfolios that callers keep on the server, and the store that has them."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from domain.records import dataclass
from server.ports.scope import Scope


@dataclass(frozen=True, slots=True)
class PortfolioDraft:
    """A portfolio before it is stored."""

    payload: bytes  # as a converter wrote it
    body: bytes  # hash of the request without its id
    id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class PortfolioRecord:
    """A stored portfolio."""

    owner: str
    id: str
    payload: bytes
    etag: str
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class PortfolioPage:
    """Portfolios; `next_token` is empty at the end."""

    records: tuple[PortfolioRecord, ...]
    next_token: str


class PortfolioStore(Protocol):
    """Portfolios, each change knowing what it changes. Another owner's is as if it was not there."""

    async def create(self, owner: str, draft: PortfolioDraft) -> PortfolioRecord:
        """Stores a portfolio. Raises AlreadyExists, RequestIdReused."""
        ...

    async def get(self, owner: str, portfolio_id: str) -> PortfolioRecord:
        """One portfolio. Raises NotFound."""
        ...

    async def list(self, scope: Scope, token: str, limit: int) -> PortfolioPage:
        """A page of an owner's portfolios by id, or of everybody's in the order of their making.

        Raises InvalidInput for a token that is not of this list.
        """
        ...

    async def update(
        self, owner: str, portfolio_id: str, etag: str, change: Callable[[bytes], bytes]
    ) -> PortfolioRecord:
        """Changes the payload in one transaction. Raises NotFound, EtagMismatch, and what `change` raises."""
        ...

    async def delete(self, owner: str, portfolio_id: str, etag: str) -> None:
        """Removes a portfolio, any version where the etag is empty. Raises NotFound, EtagMismatch."""
        ...
