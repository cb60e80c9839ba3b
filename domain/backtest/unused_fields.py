"""Fields of a backtest that could have no effect on its data: they are refused, or named in a warning.

Refused is what no prices could give an effect; a warning names what has none with these data.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.backtest.drift_band import BandWidth
from domain.backtest.inputs import Inputs
from domain.backtest.market import Market
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import Blend, Momentum, Optimized, WeightSchedule
from domain.backtest.strategy_run import StrategyRun
from domain.calendar import last_of_periods
from domain.costs.holding import Rate
from domain.costs.model import LIQUIDITY_LOOKBACK
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CashDividend, DividendPolicy
from domain.market_data.panel import civil_date
from domain.warnings import ResultWarning

CODE = "FIELD_WITHOUT_EFFECT"

_WEIGHTS = {"fixed_weights": "weights", "schedule": "entries", "blend": "parts"}
"""Fields that say which weights a strategy plans, by its kind."""


def refuse_unused_dates(specification: BacktestSpecification, days: NDArray[np.int32], start: int) -> None:
    """Raises InvalidInput for dates after the last of `days` (T,), and rates that others replace from the start on.

    The account is opened at date number `start`.
    """
    last = int(days[-1])
    for i, step in enumerate(specification.universe.steps if specification.universe is not None else ()):
        _refuse_after(last, step.day, f"universe[{i}].date")
    for path, strategy in specification.strategies_by_path():
        for i, (day, _) in enumerate(strategy.entries if isinstance(strategy, WeightSchedule) else ()):
            _refuse_after(last, day, f"{path}.entries[{i}].date")
    costs = specification.holding_costs
    for name, rate in (("cash", costs.cash), ("financing", costs.financing or Rate())):
        if not rate.steps:
            continue
        first = rate.steps[0][0]
        _refuse_after(last, first, f"costs.{name}_rates[0].date")
        # The day of the start itself has passed: the first of which interest is earned is the next one.
        if rate.constant != 0.0 and first <= int(days[start]) + 1:
            replaced = f"has no effect: {name}_rates hold from {civil_date(first)} on, before any interest is due"
            raise InvalidInput(f"costs.{name}_rate_annual", replaced)


def _refuse_after(last: int, day: int, field: str) -> None:
    if day > last:
        raise InvalidInput(field, f"is after the last date of the input, {civil_date(last)}")


def refuse_unused_lookback(specification: BacktestSpecification, symbols: tuple[str, ...]) -> None:
    """Raises InvalidInput for a lookback of liquidity where nothing is taken from the past."""
    if specification.costs.liquidity_lookback == LIQUIDITY_LOOKBACK:
        return
    planned = (one.specification.costs for _, one in specification.strategies_by_path() if isinstance(one, Optimized))
    field = "costs.liquidity_lookback_periods"
    models = [one for one in (specification.costs, *planned) if one is not None and one.impact is not None]
    is_limited = specification.max_participation is not None
    if not models and not is_limited:
        raise InvalidInput(
            field, "has no effect without costs.impact or execution.max_participation, whose figures it is about"
        )
    measured = [one.liquidity.get(symbol) for one in models for symbol in symbols]
    limits = [specification.costs.liquidity.get(symbol) for symbol in symbols] if is_limited else []
    if None not in limits and all(one is not None and one.volatility_annual is not None for one in measured):
        rule = "has no effect: costs.liquidity gives the daily_value and volatility_annual of every symbol"
        raise InvalidInput(field, rule)


def refuse_unused_targets(
    specification: BacktestSpecification,
    strategies: Sequence[tuple[str, StrategyRun]],
    inputs: Sequence[Inputs],
    market: Market,
) -> None:
    """Raises InvalidInput for weights none of which is of a member, and for bands around targets that are 0.

    `strategies` have their paths.
    """
    for (path, run), arrays in zip(strategies, inputs, strict=True):
        if arrays.rules.decides_outside or arrays.plan.targets.any():
            continue
        days = market.panel.dates[run.decisions]
        planned = run.strategy.planned(market.panel.symbols, days, None)
        if planned is not None and planned.weights[planned.rows].any():
            name = _WEIGHTS.get(run.strategy.kind)
            raise InvalidInput(
                f"{path}.{name}" if name else path,
                "has no effect: no asset with a weight is a member of universe on a date of a decision",
            )
    if specification.rebalancing.band is not None:
        _refuse_bands_without_target(specification, inputs, market)


def _refuse_bands_without_target(
    specification: BacktestSpecification, inputs: Sequence[Inputs], market: Market
) -> None:
    """Raises InvalidInput for bands around targets of 0 alone: what is not held cannot drift."""
    band = specification.rebalancing.band
    if band is None or any(one.rules.decides_outside for one in inputs):
        return
    has_target = np.any([one.plan.targets.any(axis=0) for one in inputs], axis=0)
    if not has_target.any():
        raise InvalidInput("rebalancing.drift_band", "has no effect: no strategy has a weight that could drift")
    held = {symbol for symbol, units in specification.initial_holdings.items() if units != 0.0}
    for i, (symbol, width) in enumerate(band.by_symbol.items()):
        # An asset without a target can be bought to the edge of its band, where that is not its target.
        takes_others = band.depends_on_groups and _is_wide(width)
        if symbol not in held and not takes_others and not has_target[market.panel.symbols.index(symbol)]:
            raise InvalidInput(
                f"rebalancing.drift_band.by_asset[{i}].symbol",
                f"has no effect: no strategy has a weight of {symbol}, and none is held at the start",
            )


def _is_wide(width: BandWidth) -> bool:
    """Whether a band around a target of 0 holds more than the target."""
    return width.relative is None and width.absolute != 0.0


def unused_field_warnings(
    specification: BacktestSpecification, market: Market, start: int
) -> tuple[ResultWarning, ...]:
    """A warning for each field that has no effect with these data; the account is opened at date number `start`."""
    found = (
        *_of_purchase(specification),
        *_of_dividends(specification),
        *_of_performance_fee(specification, market.panel.dates, start),
        *_of_strategies(specification, market),
        *_of_holdings(specification),
        *_of_flows_only(specification),
    )
    return tuple(ResultWarning(CODE, field, f"{field} has no effect: {reason}") for field, reason in found)


def _of_purchase(specification: BacktestSpecification) -> Iterator[tuple[str, str]]:
    if not specification.charge_initial_purchase and any(specification.initial_holdings.values()):
        yield (
            "charge_initial_purchase",
            "it is about a purchase from cash alone, and there are initial_holdings, whose first rebalancing is paid",
        )


def _of_dividends(specification: BacktestSpecification) -> Iterator[tuple[str, str]]:
    actions = (*specification.all_actions, *specification.benchmark_actions)
    if any(isinstance(action.event, CashDividend) for action in actions):
        return
    if specification.withholding_rate > 0.0:
        yield "withholding_rate", "there is no cash dividend, neither in corporate_actions nor stored"
    if specification.dividend_policy is not DividendPolicy.CASH:
        yield "dividend_policy", "there is no cash dividend, neither in corporate_actions nor stored"


def _of_performance_fee(
    specification: BacktestSpecification, days: NDArray[np.int32], start: int
) -> Iterator[tuple[str, str]]:
    terms = specification.holding_costs.performance_fee
    if terms is not None and not (last_of_periods(days, terms.crystallization) > start).any():
        yield (
            "costs.performance_fee",
            f"no {terms.crystallization} period ends from {civil_date(days[start])} to {civil_date(days[-1])}",
        )


def _of_strategies(specification: BacktestSpecification, market: Market) -> Iterator[tuple[str, str]]:
    days, count = market.panel.dates, len(market.panel.symbols)
    for path, strategy in specification.strategies_by_path():
        match strategy:
            case Momentum() if strategy.top_n >= count:
                yield f"{path}.top_n", f"all {count} assets of the input are held, whatever their returns"
            case WeightSchedule():
                filled = days.searchsorted([day for day, _ in strategy.entries]) + specification.delay < len(days)
                for i in np.flatnonzero(~filled).tolist():
                    yield f"{path}.entries[{i}].date", "no date is left on which the decision could be filled"
            case Blend():
                for i, part in enumerate(strategy.parts):
                    if part.weight == 0.0:
                        yield f"{path}.parts[{i}].weight", "a part of weight 0 holds nothing"


def _of_holdings(specification: BacktestSpecification) -> Iterator[tuple[str, str]]:
    for i, (symbol, quantity) in enumerate(specification.initial_holdings.items()):
        if quantity == 0.0:
            yield f"initial_holdings[{i}].quantity", f"0 units of {symbol} are none"


def _of_flows_only(specification: BacktestSpecification) -> Iterator[tuple[str, str]]:
    """Where no money comes in; cash beside initial holdings is invested like such money."""
    sizes = [flow.amount for flow in specification.cash_flows]
    sizes += [rule.amount or rule.fraction_of_nav or 0.0 for rule in specification.recurring_cash_flows]
    has_cash = bool(specification.initial_holdings) and specification.initial_capital > 0.0
    if specification.rebalancing.flows_only and not has_cash and not any(size > 0.0 for size in sizes):
        yield "rebalancing.flows_only", "no money comes in that could be invested; it is the same as never"
