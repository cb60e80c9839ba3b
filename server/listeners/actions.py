"""What the actions of mandates do, by the services that callers have too. None of them trades."""

import asyncio
from collections.abc import Sequence
from datetime import date

from domain.errors import NotSupported
from domain.market_data.panel import civil_date
from domain.monitoring.mandate import Action
from server.commands.call import Call
from server.commands.stored import DataRequest
from server.converters import recomputations as requests
from server.converters.backtests import NAME as BACKTEST
from server.converters.optimization import NAME as OPTIMIZATION
from server.converters.portfolios import NAME as PORTFOLIO
from server.converters.reallocation import NAME as REALLOCATION
from server.ports.errors import NotFound, RequestIdReused
from server.ports.events import Recomputation
from server.ports.job_stores import JobStores
from server.ports.jobs import JobRecord
from server.ports.list_filter import ListFilter
from server.ports.market_data import PriceSelection
from server.ports.portfolios import PortfolioStore
from server.ports.results import StoredResult
from server.ports.scope import Scope
from server.services.backtests import Backtests
from server.services.market_data import MarketData
from server.services.optimization.optimize import Optimization
from server.services.reallocation import ReallocationService
from server.services.risk import Risk
from server.tasks.held_assets import held_assets

FOUND = 100
"""Newest results among which one is looked for whose request has changed since."""


class Actions:
    """Does recomputations; each has the name of what it stored, or of the portfolio where it stores nothing."""

    def __init__(
        self,
        portfolios: PortfolioStore,
        jobs: JobStores,
        market_data: MarketData,
        *,
        optimization: Optimization,
        reallocations: ReallocationService,
        risk: Risk,
        backtests: Backtests,
    ) -> None:
        self._portfolios = portfolios
        self._jobs = jobs
        self._market_data = market_data
        self._optimization = optimization
        self._reallocations = reallocations
        self._risk = risk
        self._backtests = backtests

    async def do(self, one: Recomputation) -> str:
        """The name of the result. Raises what the services raise."""
        record = await self._portfolios.get(one.owner, one.portfolio)
        call = Call(one.owner, caller=f"mandates of {one.owner}")
        match one.action:
            case Action.NOTIFY:
                return PORTFOLIO + one.portfolio
            case Action.OPTIMIZE:
                return OPTIMIZATION + await self._optimize(one, record.payload, call)
            case Action.REALLOCATE:
                return REALLOCATION + await self._reallocate(one, record.payload, call)
            case Action.ANALYZE_RISK:
                await self._risk.analyze(await asyncio.to_thread(requests.risk_request, record.payload), call)
                return PORTFOLIO + one.portfolio
            case Action.EXTEND_BACKTEST:
                return BACKTEST + await self._extend(one, record.payload, call)

    async def _optimize(self, one: Recomputation, payload: bytes, call: Call) -> str:
        needs = await asyncio.to_thread(requests.mandate_needs, payload)
        start = None if needs.lookback is None else await self._start(needs.symbols, needs.lookback)
        held = await self._held(payload, needs.symbols) if needs.trades else None
        request = await asyncio.to_thread(
            requests.optimize_request, one.key, one.portfolio, payload, needs.symbols, start, held
        )
        try:
            return _id_of(await self._optimization.optimize(request, call))
        except RequestIdReused:
            return _stored_before(one, (await self._optimization.list(Scope(one.owner), "", FOUND, _of(one))).records)

    async def _reallocate(self, one: Recomputation, payload: bytes, call: Call) -> str:
        needs = await asyncio.to_thread(requests.mandate_needs, payload)
        request = requests.reallocate_request(one.key, one.portfolio, needs.symbols)
        try:
            return _id_of(await self._reallocations.reallocate(request, call))
        except RequestIdReused:
            return _stored_before(one, (await self._reallocations.list(Scope(one.owner), "", FOUND, _of(one))).records)

    async def _extend(self, one: Recomputation, payload: bytes, call: Call) -> str:
        needs = await asyncio.to_thread(requests.mandate_needs, payload)
        before = await self._jobs.archive.get(one.owner, needs.backtest)
        if before.inputs.kind != "prices":
            raise NotSupported("a backtest of returns cannot be extended: no returns are stored", field="backtest")
        data = (await self._jobs.inputs.panel(before.inputs.data)).panel
        start = civil_date(int(data.dates[0]))
        request = await asyncio.to_thread(
            requests.extended_backtest_request, one.key, one.portfolio, before.request, data.symbols, start
        )
        try:
            started = await self._backtests.start(request, call)
        except RequestIdReused:
            return _stored_before(one, (await self._backtests.list(Scope(one.owner), "", FOUND, _of(one))).records)
        if isinstance(started, bytes):
            raise TypeError("the request of a recomputation asks for more than a check")
        return started[0].id

    async def _held(self, payload: bytes, symbols: tuple[str, ...]) -> requests.HeldAssets:
        """What trades start from, at the prices that a plan has."""
        selection = PriceSelection(symbols)
        wanted = DataRequest(panels=(selection,), volumes=(selection,), instruments=symbols, quotes=symbols)
        found = await self._market_data.collect(wanted, None)
        return await asyncio.to_thread(held_assets, payload, selection, found)

    async def _start(self, symbols: tuple[str, ...], lookback: int) -> date | None:
        """First date of so many periods up to the newest stored price; None where there are fewer."""
        dates = (await self._market_data.prices(PriceSelection(symbols))).panel.dates
        return civil_date(int(dates[-lookback - 1])) if len(dates) > lookback else None


def _of(one: Recomputation) -> ListFilter:
    return ListFilter(label=requests.mandate_label(one.portfolio))


def _id_of(answer: StoredResult | bytes) -> str:
    if isinstance(answer, bytes):
        raise TypeError("the request of a recomputation asks for more than a check")
    return answer.id


def _stored_before(one: Recomputation, records: Sequence[StoredResult | JobRecord]) -> str:
    """The id of what an earlier attempt stored; the portfolio has changed since, and with it the request."""
    wanted = requests.request_id_of(one.key)
    for record in records:
        if record.request_id == wanted:
            return record.id
    raise NotFound("result", wanted)
