"""Reallocate: collect portfolio, market and target, plan, keep the answer."""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from domain.costs.impact import Liquidity
from domain.costs.linear import LinearCost
from domain.errors import DomainError, InvalidInput, MissingMarketData
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.panel import PricePanel
from domain.market_data.snapshot import Quote, Snapshot
from domain.market_data.source import infer_periods_per_year
from domain.optimization.solve import solve
from domain.optimization.specification import Specification, state
from domain.portfolio import Portfolio
from domain.reallocation.flow import Reallocation, reallocate
from domain.reallocation.request import Limits, ReallocationRequest, Thresholds
from domain.risk.model import RiskModel
from server.execution.lanes import Lanes, OnProgress
from server.ports import (
    AnswerDraft,
    AnswerPage,
    AnswerRecord,
    AnswerStore,
    ListFilter,
    PortfolioStore,
    PriceField,
    PriceSelection,
    TradableState,
)
from server.services.market_data import MarketData, StoredInput

WEIGHT_ROUNDING = 1e-9
"""A weight of a solver below this is a zero."""

VOLUME_DAYS = 21
"""Average daily volume is that of the last month of trading."""


@dataclass(frozen=True, slots=True)
class OptimizedTarget:
    """A target by an optimisation over stored prices."""

    specification: Specification
    lookback: int | None = None


Target = Mapping[str, float] | OptimizedTarget


@dataclass(frozen=True, slots=True)
class Mandate:
    """A stored portfolio with what it is run for."""

    portfolio: Portfolio
    target: Target | None
    thresholds: Thresholds | None


@dataclass(frozen=True, slots=True)
class ReallocateCommand:
    """What to reallocate, and how the answer is kept."""

    portfolio: Portfolio | str  # the id of a stored one
    market: Snapshot | PriceSelection
    target: Target | None  # None is that of the mandate
    thresholds: Thresholds | None  # likewise
    limits: Limits
    costs: LinearCost
    horizon_days: int
    body: bytes  # hash of the request without its id
    request_id: str | None = None
    validate_only: bool = False


@dataclass(frozen=True, slots=True)
class Volatilities:
    """Of the portfolio per year; None where there are no prices to estimate it from."""

    before: float | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """An answer before it is written down."""

    reallocation: Reallocation
    volatilities: Volatilities


class ReallocationService:
    """Plans trades and keeps the plans."""

    def __init__(
        self,
        market_data: MarketData,
        portfolios: PortfolioStore,
        store: AnswerStore,
        lanes: Lanes,
        *,
        decode_portfolio: Callable[[bytes], Mandate],
        encode: Callable[[Planned], bytes],
    ) -> None:
        self._market_data = market_data
        self._portfolios = portfolios
        self._store = store
        self._lanes = lanes
        self._decode_portfolio = decode_portfolio
        self._encode = encode

    async def reallocate(self, command: ReallocateCommand, deadline: float | None) -> AnswerRecord | bytes:
        """The stored answer, or only what it says where nothing was to be stored."""
        if command.request_id and (known := await self._store.find(command.request_id, command.body)):
            return known
        content = hashlib.sha256(command.body)
        mandate = await self._mandate(command, content.update)
        prices = await self._prices(command, content.update)
        market = (
            command.market if isinstance(command.market, Snapshot) else await self._snapshot(command.market, prices)
        )
        target = await self._target(command, mandate, market, prices, deadline)
        request = ReallocationRequest(
            portfolio=mandate.portfolio,
            market=market,
            target=target,
            thresholds=command.thresholds or mandate.thresholds or Thresholds(),
            limits=command.limits,
            costs=command.costs,
            horizon_days=command.horizon_days,
        )
        planned = await self._lanes.thread(partial(_planned, request, prices), deadline)
        encoded = self._encode(planned)
        if command.validate_only:
            return encoded
        subject = command.portfolio if isinstance(command.portfolio, str) else ""
        draft = AnswerDraft(encoded, content.hexdigest(), command.body, command.request_id, subject)
        return await self._store.save(draft)

    async def get(self, reallocation_id: str) -> AnswerRecord:
        """A stored answer."""
        return await self._store.get(reallocation_id)

    async def list(self, token: str, size: int, portfolio_id: str) -> AnswerPage:
        """A page of stored answers, newest first."""
        return await self._store.list(token, size, ListFilter(subject=portfolio_id))

    async def _mandate(self, command: ReallocateCommand, mark: Callable[[bytes], None]) -> Mandate:
        if isinstance(command.portfolio, Portfolio):
            return Mandate(command.portfolio, None, None)
        record = await self._portfolios.get(command.portfolio)
        mark(record.payload)
        return self._decode_portfolio(record.payload)

    async def _prices(self, command: ReallocateCommand, mark: Callable[[bytes], None]) -> StoredInput | None:
        if not isinstance(command.market, PriceSelection):
            return None
        prices = await self._market_data.stored(command.market)
        mark(prices.fingerprint.encode())
        return prices

    async def _snapshot(self, selection: PriceSelection, prices: StoredInput | None) -> Snapshot:
        """Last stored prices, with volume, lots and states where they are stored."""
        if prices is None:
            raise ValueError("a selection has prices")
        panel = prices.open()
        volumes = await self._volumes(selection, panel.symbols)
        known = await self._market_data.instruments(panel.symbols)
        quotes: dict[str, Quote] = {}
        for j, symbol in enumerate(panel.symbols):
            given = panel.values[:, j][~np.isnan(panel.values[:, j])]
            instrument = known.get(symbol)
            if instrument is not None and instrument.state in (TradableState.DELISTED, TradableState.NOT_LISTED):
                continue
            quotes[symbol] = Quote(
                price=float(given[-1]),
                average_daily_volume=volumes.get(symbol),
                lot_size=1.0 if instrument is None or instrument.lot_size is None else instrument.lot_size,
                halted=instrument is not None and instrument.state is TradableState.HALTED,
            )
        return Snapshot(quotes)

    async def _volumes(self, selection: PriceSelection, symbols: tuple[str, ...]) -> dict[str, float]:
        known = await self._market_data.having(PriceField.VOLUME, symbols)
        if not known:
            return {}
        wanted = PriceSelection(known, start=selection.start, end=selection.end, field=PriceField.VOLUME)
        try:
            panel = (await self._market_data.prices(wanted)).panel
        except MissingMarketData:
            return {}  # none in this range: liquidity is not known
        found: dict[str, float] = {}
        for symbol in known:
            values = panel.column(symbol)
            given = values[~np.isnan(values)][-VOLUME_DAYS:]
            if len(given):
                found[symbol] = float(given.mean())
        return found

    async def _target(
        self,
        command: ReallocateCommand,
        mandate: Mandate,
        market: Snapshot,
        prices: StoredInput | None,
        deadline: float | None,
    ) -> Mapping[str, float]:
        target = command.target if command.target is not None else mandate.target
        if target is None:
            raise InvalidInput(
                "target_weights", "must be given, or target_optimize: there is no mandate to take it from"
            )
        if not isinstance(target, OptimizedTarget):
            return target
        if prices is None:
            symbols = {*market.quotes, *target.specification.estimation.factors}
            prices = await self._market_data.stored(PriceSelection(tuple(sorted(symbols))))
        groups = await self._market_data.groups(target.specification.missing_groups())
        priced = {symbol: quote.price for symbol, quote in market.quotes.items()}
        held = mandate.portfolio.weights_at(priced)
        specification = _informed(target.specification.with_groups(groups), mandate.portfolio, market, prices)
        work = partial(_optimised, replace(target, specification=specification), prices, held)
        if not specification.is_quick:
            return await self._lanes.process(work, deadline)
        return await self._lanes.thread(work, deadline)


def _informed(
    specification: Specification, portfolio: Portfolio, market: Snapshot, prices: StoredInput
) -> Specification:
    """With costs that know what the portfolio is worth and what is traded, where they do not say so themselves."""
    if specification.costs is None:
        return specification
    worth = portfolio.cash + sum(units * market.quotes[s].price for s, units in portfolio.quantities.items())
    liquidity = {
        symbol: Liquidity(quote.price * quote.average_daily_volume, quote.volatility_annual)
        for symbol, quote in market.quotes.items()
        if quote.average_daily_volume and symbol in prices.symbols
    }
    return replace(specification, costs=specification.costs.completed(worth, liquidity))


def _optimised(
    target: OptimizedTarget, prices: StoredInput, held: Mapping[str, float], on_progress: OnProgress
) -> dict[str, float]:
    """Target weights; symbols that the prices do not have, or are factors, count as cash when turnover is limited."""
    panel = prices.open()
    if target.lookback is not None:
        if target.lookback + 1 > len(panel.dates):
            raise InvalidInput(
                "target_optimize.lookback_periods",
                f"needs {target.lookback + 1} dates, {len(panel.dates)} are stored",
            )
        first = len(panel.dates) - target.lookback - 1
        panel = PricePanel(panel.symbols, panel.dates[first:], panel.values[first:])
    assets = set(panel.symbols) - target.specification.estimation.factors
    current = {symbol: weight for symbol, weight in held.items() if symbol in assets}
    problem = state(replace(target.specification, current_weights=current), panel)
    solution = solve(problem, on_progress)
    # Rounding of a zero weight is no wish to sell short; a real short is refused by name.
    weights = np.where(np.abs(solution.weights) < WEIGHT_ROUNDING, 0.0, solution.weights)
    return dict(zip(solution.symbols, weights.tolist(), strict=True))


def _planned(request: ReallocationRequest, prices: StoredInput | None, on_progress: OnProgress) -> Planned:
    found = reallocate(request)
    on_progress()
    return Planned(found, Volatilities() if prices is None else _volatilities(found, prices))


def _volatilities(found: Reallocation, prices: StoredInput) -> Volatilities:
    panel = prices.open()
    try:
        periods = infer_periods_per_year(None, panel)
        moments = estimate_moments(panel.returns(), Estimation(), periods)
    except DomainError:
        return Volatilities()  # gaps or too few dates: there is nothing to estimate it from
    model = RiskModel.of(moments, periods)

    def annual(weights: Mapping[str, float]) -> float | None:
        if not set(weights) <= set(panel.symbols):
            return None
        return model.deviation(np.array([weights.get(s, 0.0) for s in panel.symbols])) * math.sqrt(periods)

    return Volatilities(annual(found.summary.weights_before), annual(found.summary.weights_after))
