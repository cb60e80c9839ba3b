"""Reallocate: collect portfolio, market and target, plan, answer."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest

from domain.costs.impact import Liquidity
from domain.errors import DomainError, InvalidInput
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.panel import PricePanel
from domain.market_data.snapshot import Quote, Snapshot
from domain.market_data.source import infer_periods_per_year
from domain.optimization.solve import solve
from domain.optimization.specification import Specification, state
from domain.portfolio import Portfolio
from domain.reallocation.flow import Reallocation, reallocate
from domain.reallocation.request import ReallocationRequest, Thresholds, check_amounts
from domain.risk.model import RiskModel
from domain.warnings import ResultWarning
from server.commands.reallocation import (
    Mandate,
    OptimizedTarget,
    Planned,
    ReallocateCommand,
    Target,
    Volatilities,
)
from server.commands.stored import Found, ReportKey, RequestKey, StoredInput, Wanted
from server.converters.message import message_from_bytes
from server.converters.portfolios import mandate_from_bytes
from server.converters.reallocation import planned_to_bytes, reallocate_command_from_proto, summary_to_bytes
from server.execution.worker import Control
from server.ports import AnswerDraft, PriceSelection, TradableState
from server.tasks.optimize import limit_time, with_stored_groups
from server.tasks.refusing import locating, refusing

WEIGHT_ROUNDING = 1e-9
"""A weight of a solver below this is a zero."""

VOLUME_DAYS = 21
"""Average daily volume is that of the last month of trading."""


@refusing
@locating(ReallocateRequest)
def reallocation(
    request: bytes, found: Found | None, on_progress: Control, report: ReportKey
) -> Wanted | AnswerDraft | bytes:
    """The answer to store; only its bytes where nothing is to be stored; or what is needed first."""
    command = reallocate_command_from_proto(message_from_bytes(ReallocateRequest, request))
    if found is None:
        if command.request_id:
            report(RequestKey(command.request_id, command.body))
        if wanted := _wanted_at_once(command):
            return wanted
    found = found or Found()
    mandate = _mandate(command, found)
    target = command.target if command.target is not None else mandate.target
    if target is None:
        raise InvalidInput("target_weights", "must be given, or target_optimize: there is no mandate to take it from")
    if wanted := _wanted_then(command, target, found):
        return wanted
    with _of_the_portfolio():
        planned = _planned(command, mandate, target, found, on_progress)
    payload = planned_to_bytes(planned)
    if command.validate_only:
        return payload
    subject = command.portfolio if isinstance(command.portfolio, str) else ""
    fingerprint = _fingerprint(command, found)
    return AnswerDraft(
        payload,
        fingerprint,
        command.body,
        command.request_id,
        subject,
        id=command.id,
        label=command.label,
        summary=summary_to_bytes(payload),
    )


@contextmanager
def _of_the_portfolio() -> Iterator[None]:
    """Says of holdings and cash that they are those of the portfolio, which may be a stored one."""
    try:
        yield
    except InvalidInput as error:
        if error.field.startswith(("holdings", "cash")):
            raise error.with_path_prefix("portfolio") from None
        raise


def _wanted_at_once(command: ReallocateCommand) -> Wanted:
    stored = (command.market,) if isinstance(command.market, PriceSelection) else ()
    return Wanted(
        portfolios=(command.portfolio,) if isinstance(command.portfolio, str) else (),
        panels=stored,
        volumes=stored,
    )


def _wanted_then(command: ReallocateCommand, target: Target, found: Found) -> Wanted:
    """What else is needed, now that portfolio and prices are known."""
    panels: tuple[PriceSelection, ...] = ()
    groups: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    if isinstance(target, OptimizedTarget):
        prices = _target_prices(command, target)
        panels = () if prices in found.panels else (prices,)
        groups = tuple(group for group in target.specification.missing_groups() if not found.asked_groups)
    if isinstance(command.market, PriceSelection) and not found.asked_instruments:
        instruments = found.panels[command.market].symbols
    return Wanted(panels=panels, groups=groups, instruments=instruments)


def _target_prices(command: ReallocateCommand, target: OptimizedTarget) -> PriceSelection:
    """Stored prices that a target is optimised over."""
    if isinstance(command.market, PriceSelection):
        return command.market
    symbols = sorted({*command.market.quotes, *target.specification.estimation.factors})
    return PriceSelection(tuple(symbols), symbols_path="snapshot.assets")


def _mandate(command: ReallocateCommand, found: Found) -> Mandate:
    if isinstance(command.portfolio, Portfolio):
        return Mandate(command.portfolio, None, None)
    return mandate_from_bytes(found.portfolios[command.portfolio])


def _fingerprint(command: ReallocateCommand, found: Found) -> str:
    content = hashlib.sha256(command.content)
    if isinstance(command.portfolio, str):
        content.update(found.portfolios[command.portfolio])
    if isinstance(command.market, PriceSelection):
        content.update(found.panels[command.market].fingerprint.encode())
    return content.hexdigest()


def _planned(
    command: ReallocateCommand, mandate: Mandate, target: Target, found: Found, on_progress: Control
) -> Planned:
    market = command.market
    snapshot = market if isinstance(market, Snapshot) else _snapshot(market, found)
    check_amounts(mandate.portfolio, snapshot)
    weights = target
    warnings: tuple[ResultWarning, ...] = ()
    if isinstance(target, OptimizedTarget):
        prices = found.panels[_target_prices(command, target)]
        weights, warnings = _optimised(target, prices, mandate.portfolio, snapshot, found, on_progress)
    if isinstance(weights, OptimizedTarget):
        raise TypeError("a target has weights by now")
    request = ReallocationRequest(
        portfolio=mandate.portfolio,
        market=snapshot,
        target=weights,
        thresholds=command.thresholds or mandate.thresholds or Thresholds(),
        limits=command.limits,
        costs=command.costs,
        horizon_days=command.horizon_days,
    )
    result = reallocate(request, on_progress)
    on_progress()
    stored = found.panels[market] if isinstance(market, PriceSelection) else None
    volatilities = Volatilities() if stored is None else _volatilities(result, stored)
    return Planned(result, volatilities, warnings)


def _snapshot(selection: PriceSelection, found: Found) -> Snapshot:
    """Last stored prices, with volume, lots and states where they are stored."""
    panel = found.panels[selection].open()
    volumes = _average_volumes(found.volumes.get(selection))
    quotes: dict[str, Quote] = {}
    for j, symbol in enumerate(panel.symbols):
        given = panel.values[:, j][~np.isnan(panel.values[:, j])]
        instrument = found.instruments.get(symbol)
        if instrument is not None and instrument.state in (TradableState.DELISTED, TradableState.NOT_LISTED):
            continue
        if not len(given):
            continue  # no price in this range: it is kept, or refused by name where it is wanted
        quotes[symbol] = Quote(
            price=float(given[-1]),
            average_daily_volume=volumes.get(symbol),
            lot_size=1.0 if instrument is None or instrument.lot_size is None else instrument.lot_size,
            halted=instrument is not None and instrument.state is TradableState.HALTED,
        )
    return Snapshot(quotes)


def _average_volumes(stored: StoredInput | None) -> dict[str, float]:
    """Of the last month of trading, by symbol; none where no volume is stored."""
    if stored is None:
        return {}
    panel = stored.open()
    averages: dict[str, float] = {}
    for j, symbol in enumerate(panel.symbols):
        given = panel.values[:, j][~np.isnan(panel.values[:, j])][-VOLUME_DAYS:]
        if len(given):
            averages[symbol] = float(given.mean())
    return averages


def _optimised(
    target: OptimizedTarget,
    prices: StoredInput,
    portfolio: Portfolio,
    market: Snapshot,
    found: Found,
    on_progress: Control,
) -> tuple[dict[str, float], tuple[ResultWarning, ...]]:
    """Target weights, and warnings about them.

    Symbols that the prices do not have, or are factors, count as cash when turnover is limited.
    """
    held = portfolio.weights_at({symbol: quote.price for symbol, quote in market.quotes.items()})
    specification = with_stored_groups(target.specification, found)
    specification = _informed(specification, portfolio, market, prices)
    limit_time(specification, on_progress)
    panel = prices.open()
    if target.lookback is not None:
        if target.lookback + 1 > len(panel.dates):
            raise InvalidInput(
                "target_optimize.lookback_periods",
                f"needs {target.lookback + 1} dates, {len(panel.dates)} are stored",
            )
        first = len(panel.dates) - target.lookback - 1
        panel = PricePanel(panel.symbols, panel.dates[first:], panel.values[first:])
    assets = set(panel.symbols) - specification.estimation.factors
    current = {symbol: weight for symbol, weight in held.items() if symbol in assets}
    solution = solve(state(replace(specification, current_weights=current), panel, on_progress), on_progress)
    # Rounding of a zero weight is no wish to sell short; a real short is refused by name.
    weights = np.where(np.abs(solution.weights) < WEIGHT_ROUNDING, 0.0, solution.weights)
    warnings = tuple(warning.with_path_prefix("target_optimize") for warning in solution.warnings)
    return dict(zip(solution.symbols, weights.tolist(), strict=True)), warnings


def _informed(
    specification: Specification, portfolio: Portfolio, market: Snapshot, prices: StoredInput
) -> Specification:
    """With costs that know what the portfolio is worth and what is traded, where they do not say so themselves."""
    if specification.costs is None:
        return specification
    priced_units = ((s, units) for s, units in portfolio.quantities.items() if s in market.quotes)
    worth = portfolio.cash + sum(units * market.quotes[s].price for s, units in priced_units)
    priced = set(prices.symbols)
    liquidity = {
        symbol: Liquidity(quote.price * quote.average_daily_volume, quote.volatility_annual)
        for symbol, quote in market.quotes.items()
        if quote.average_daily_volume and symbol in priced
    }
    return replace(specification, costs=specification.costs.completed(worth, liquidity))


def _volatilities(result: Reallocation, prices: StoredInput) -> Volatilities:
    panel = prices.open()
    try:
        periods = infer_periods_per_year(None, panel)
        moments = estimate_moments(panel.returns(), Estimation(), periods)
    except DomainError:
        return Volatilities()  # gaps or too few dates: there is nothing to estimate it from
    model = RiskModel.of(moments, periods)
    known = set(panel.symbols)

    def annual(weights: Mapping[str, float]) -> float | None:
        if not set(weights) <= known:
            return None
        return model.deviation(np.array([weights.get(s, 0.0) for s in panel.symbols])) * math.sqrt(periods)

    return Volatilities(annual(result.summary.weights_before), annual(result.summary.weights_after))
