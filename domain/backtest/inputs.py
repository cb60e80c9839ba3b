"""Arrays of one simulation from its specification, its market and the dates of its decisions."""

import math
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.backtest.cash_flows import flows_by_date
from domain.backtest.drift_band import BandDestination, BandScope, BandTrigger, DriftBand
from domain.backtest.impact_rates import costs_as_arrays, dated_impact
from domain.backtest.market import Market
from domain.backtest.participation import ParticipationLimit, participation_limit
from domain.backtest.simulation import arrays
from domain.backtest.simulation.arrays import (
    Actions,
    Bands,
    Costs,
    Flows,
    Output,
    PerformanceFee,
    Plan,
    Prices,
    Rates,
    Rules,
)
from domain.backtest.specification import BacktestSpecification, Conventions, Fill
from domain.calendar import last_of_periods
from domain.checks import Matrix
from domain.costs.holding import HoldingCosts, Rate
from domain.errors import InvalidInput
from domain.portfolio import positions

TRACKING_WINDOW = 252
"""Dates of returns that tracking variance is measured over, all of the past where there are fewer."""

CALENDAR_YEAR = 365.0
"""Days of a year over which the cost of a rebalancing is spread."""

_TRIGGERS = {
    BandTrigger.ANY_BREACH: arrays.ANY_BREACH,
    BandTrigger.TRACKING_ERROR: arrays.TRACKING_ERROR,
    BandTrigger.COST_BENEFIT: arrays.COST_BENEFIT,
}
_DESTINATIONS = {
    BandDestination.TARGET: arrays.TO_TARGET,
    BandDestination.FRACTION: arrays.TO_FRACTION,
    BandDestination.EDGE: arrays.TO_EDGE,
}
_CONVENTIONS = {
    Conventions.EXACT: arrays.EXACT,
    Conventions.BT: arrays.BT,
    Conventions.VECTORBT: arrays.VECTORBT,
}


_NO_HOLDING_COSTS = HoldingCosts()
_NONE = np.zeros(0)
_NO_LIMITS = np.zeros((0, 0))
_NO_FLAGS = np.zeros((0, 0), np.bool_)
_NO_RATES = Rates(_NONE, _NONE, _NONE, _NONE, 0.0, has_any=False, has_borrow=False)
_NO_FLOWS = Flows(_NONE, _NONE, _NONE)
_NO_FEE = PerformanceFee(0.0, 0.0, is_soft=False, settled=np.zeros(0, np.bool_))
_NO_BANDS = Bands(
    _NONE, _NONE, math.inf, math.inf, 0, False, 0, 1.0, _NO_FLAGS, _NONE, _NONE,
    False, math.inf, 1.0, 1.0, 1.0, 0, False,
)  # fmt: skip


class Inputs(NamedTuple):
    """Everything that holds for a whole simulation, in the order in which `simulate` takes it."""

    prices: Prices
    actions: Actions
    rates: Rates
    flows: Flows
    costs: Costs
    fee: PerformanceFee
    bands: Bands
    plan: Plan
    rules: Rules


def inputs_of(
    specification: BacktestSpecification,
    market: Market,
    groups: dict[str, tuple[str, ...]],
    start: int,
    decisions: NDArray[np.int64],
    rows: NDArray[np.int64],
    targets: NDArray[np.float64],
    *,
    decides_outside: bool,
) -> Inputs:
    """The arrays of a simulation that starts at date number `start` and decides at `decisions` (D,).

    `rows` (D,) say which of the `targets` (R, N) each decision has. Raises InvalidInput with the field's path.
    """
    band = specification.rebalancing.band
    needs_returns = band is not None and band.trigger is not BandTrigger.ANY_BREACH
    prices = _prices(specification, market, needs_returns=needs_returns)
    impact = dated_impact(specification.costs, market, start + specification.delay)
    costs = costs_as_arrays(
        specification.costs, market.panel.symbols, impact, charges_first_purchase=specification.charge_initial_purchase
    )
    limit = participation_limit(specification, market)
    for one in (impact, limit):
        prices = prices if one is None else _waiting(prices, one.known)
    inputs = Inputs(
        prices=prices,
        actions=market.actions,
        rates=_rates(specification, market),
        flows=_flows(specification, market, start),
        costs=costs,
        fee=_performance_fee(specification, market),
        bands=_bands(band, market, groups),
        plan=Plan(decisions, rows, targets, _ALL_TRADABLE if market.members is None else _fixed(market.members)),
        rules=_rules(specification, market, start, costs, limit, decides_outside=decides_outside),
    )
    quiet = _is_quiet(inputs, all_listed=market.all_listed)
    return inputs._replace(rules=inputs.rules._replace(is_quiet=quiet)) if quiet else inputs


def with_known(inputs: Inputs, numbers: NDArray[np.int64], index: int, next_fill: int, weights: Matrix) -> Inputs:
    """The arrays for dates on which decisions from number `index` on have weights (K, N) that are known beforehand.

    `inputs` are those of a strategy that is asked. Decisions from `next_fill` on that wait for their fill keep their
    weights. There is no weight of others: the dates must end before the decision after the K ones. `numbers` are -D to
    D - 1 for D decisions: the rows are a part of them, since to make them each time would take the square of D.
    """
    plan, first = inputs.plan, min(next_fill, index)
    waiting = plan.targets[plan.row[first:index]]
    count = len(plan.made)
    rows = numbers[count - first : 2 * count - first]  # row 0 is that of the first one
    known = inputs._replace(
        plan=plan._replace(row=rows, targets=np.concatenate([waiting, weights])),
        rules=inputs.rules._replace(decides_outside=False),
    )
    quiet = _is_quiet(known, all_listed=True)  # decisions are made beforehand where all assets are listed
    return known._replace(rules=known.rules._replace(is_quiet=quiet))


def keep_waiting(inputs: Inputs, known: Inputs, next_fill: int, next_decision: int) -> None:
    """Writes the weights of decisions that wait for their fill, which `known` has, to where a strategy is asked."""
    for index in range(next_fill, next_decision):
        inputs.plan.targets[inputs.plan.row[index]] = known.plan.targets[known.plan.row[index]]


def output_for(inputs: Inputs, first: int, last: int) -> Output:
    """Room for what dates first to last write."""
    dates, assets = last - first + 1, inputs.prices.marks.shape[1]
    changes, events = _most_rows(inputs, first, last)
    flows = dates if len(inputs.flows.end) else 0
    return Output(
        nav=np.empty(dates),
        flow_start=np.empty(flows),
        flow_end=np.empty(flows),
        row_date=np.empty(changes, np.int64),
        row_kind=np.empty(changes, np.int64),
        row_units=np.empty((changes, assets)),
        row_cash=np.empty(changes),
        row_cost=np.empty(changes),
        row_turnover=np.empty(changes),
        event=np.empty((events, 6)),
        failure=np.empty((changes + 1 if inputs.rules.is_quiet else 2 * dates + 2, 2), np.int64),
        written=np.zeros(3, np.int64),
    )


def _most_rows(inputs: Inputs, first: int, last: int) -> tuple[int, int]:
    """Most changes of holdings and events of assets on dates first to last."""
    rules, made = inputs.rules, inputs.plan.made
    dates = last - first + 1
    planned = int(made.searchsorted(last, side="right") - made.searchsorted(first - rules.delay))
    if rules.is_quiet:
        return planned, 0
    by_action = int(
        np.searchsorted(inputs.actions.date, last, side="right") - np.searchsorted(inputs.actions.date, first)
    )
    any_date = not rules.is_plain or inputs.bands.is_on or rules.flows_only or rules.maintenance_ratio > 0.0
    changes = planned + 2 + 3 * by_action + (3 * dates if any_date else 0)
    if len(inputs.actions.date) and inputs.actions.reinvests:
        changes += dates
    calls = dates * inputs.prices.marks.shape[1] if rules.maintenance_ratio > 0.0 else 0
    weighed = dates if inputs.bands.is_on and inputs.bands.trigger == arrays.COST_BENEFIT else 0
    fees = int(np.count_nonzero(inputs.fee.settled[first : last + 1]))
    return changes, by_action + calls + weighed + fees


def _prices(specification: BacktestSpecification, market: Market, *, needs_returns: bool) -> Prices:
    marks = _fixed(np.ascontiguousarray(market.panel.values))
    count = marks.shape[1]
    fills, returns, tradable = marks, _NO_PRICES, _ALL_TRADABLE
    if specification.fill is Fill.NEXT_OPEN:
        if market.opens is None:
            raise InvalidInput(
                "open_prices", "must be given with FILL_NEXT_OPEN: a panel of the symbols and dates of prices"
            )
        fills = _fixed(np.ascontiguousarray(market.opens))
    elif market.opens is not None:
        raise InvalidInput("open_prices", f"go with FILL_NEXT_OPEN alone; the fill is {specification.fill}")
    if needs_returns:
        levels = market.total_return
        with np.errstate(invalid="ignore", divide="ignore"):
            changes = levels[1:] / levels[:-1] - 1.0
        returns = _fixed(np.vstack([np.zeros(count), np.where(np.isfinite(changes), changes, 0.0)]))
    if market.tradable is not None:
        tradable = _fixed(market.tradable)
    return Prices(marks, fills, tradable, returns)


A = TypeVar("A", Matrix, NDArray[np.bool_])


def _fixed(array: A) -> A:
    """A view that cannot be written: what can be is of another type to the compiler, which would compile again."""
    view = array.view()
    view.flags.writeable = False
    return view


_NO_PRICES, _ALL_TRADABLE = _fixed(np.zeros((0, 0))), _fixed(_NO_FLAGS)


def _rates(specification: BacktestSpecification, market: Market) -> Rates:
    costs, days = specification.holding_costs, market.panel.dates
    if costs == _NO_HOLDING_COSTS and not specification.costs.has_borrow:
        return _NO_RATES
    borrow = specification.costs.borrow_rates(market.panel.symbols)
    rates = Rates(
        years=costs.day_count.years(days, market.periods_per_year),
        cash=costs.cash.during(days),
        financing=(costs.financing or Rate()).during(days),
        borrow=borrow,
        management_fee=costs.management_fee_annual,
        has_any=False,
        has_borrow=bool(borrow.any()),
    )
    earned = float((rates.cash * rates.years).min())
    if earned - rates.management_fee * float(rates.years.max()) <= -1.0:
        name = "cash_rate_annual" if earned <= -1.0 else "management_fee_annual"
        raise InvalidInput(f"costs.{name}", "must not take all of the cash between two dates of the input")
    has_any = bool(rates.cash.any() or rates.financing.any() or rates.has_borrow or rates.management_fee > 0.0)
    return rates._replace(has_any=has_any)


def _flows(specification: BacktestSpecification, market: Market, start: int) -> Flows:
    found = flows_by_date(specification.cash_flows, specification.recurring_cash_flows, market.panel.dates, start)
    if found is None:
        return _NO_FLOWS
    return Flows(found.start, found.end, found.end_fraction)


def _waiting(prices: Prices, known: NDArray[np.bool_] | None) -> Prices:
    """Prices at which an asset cannot be traded on dates on which its liquidity is not `known`, (T, N)."""
    if known is None:
        return prices
    return prices._replace(tradable=_fixed(known & prices.tradable if len(prices.tradable) else np.array(known)))


def _performance_fee(specification: BacktestSpecification, market: Market) -> PerformanceFee:
    terms = specification.holding_costs.performance_fee
    if terms is None:
        return _NO_FEE
    settled = np.zeros(len(market.panel.dates), np.bool_)
    settled[last_of_periods(market.panel.dates, terms.crystallization)] = True
    return PerformanceFee(terms.rate, terms.hurdle_annual, terms.hurdle == "SOFT", settled)


def _bands(band: DriftBand | None, market: Market, groups: dict[str, tuple[str, ...]]) -> Bands:
    if band is None:
        return _NO_BANDS
    symbols = market.panel.symbols
    count = len(symbols)
    place = positions(symbols)
    absolute, relative = np.full(count, math.inf), np.full(count, math.inf)
    absolute[:], relative[:] = band.width.bounds
    for i, (symbol, width) in enumerate(band.by_symbol.items()):
        if symbol not in place:
            raise InvalidInput(f"rebalancing.drift_band.by_asset[{i}].symbol", f"{symbol} is not a symbol of the input")
        absolute[place[symbol]], relative[place[symbol]] = width.bounds
    members = np.zeros((len(band.by_group), count), np.bool_)
    for g, group in enumerate(band.by_group):
        members[g, [place[symbol] for symbol in groups.get(group, ()) if symbol in place]] = True
        if not members[g].any():
            raise InvalidInput(
                f"rebalancing.drift_band.by_group[{g}].group", f"no stored instrument in {group} is in the input"
            )
    widths = [width.bounds for width in band.by_group.values()]
    most = band.max_tracking_error_annual
    return Bands(
        absolute=absolute,
        relative=relative,
        cash_absolute=band.width.bounds[0],
        cash_relative=band.width.bounds[1],
        trigger=_TRIGGERS[band.trigger],
        only_breached=band.scope is BandScope.BREACHED,
        destination=_DESTINATIONS[band.destination],
        fraction=band.fraction,
        group_members=members,
        group_absolute=np.array([width[0] for width in widths]),
        group_relative=np.array([width[1] for width in widths]),
        by_program=bool(widths) and band.depends_on_groups,
        most_tracking_variance=math.inf if most is None else most * most / market.periods_per_year,  # ** raises
        risk_aversion=band.risk_aversion or 0.0,
        horizon_years=(band.horizon_days or CALENDAR_YEAR) / CALENDAR_YEAR,
        periods_per_year=market.periods_per_year,
        window=TRACKING_WINDOW,
        is_on=True,
    )


def _rules(
    specification: BacktestSpecification,
    market: Market,
    start: int,
    costs: Costs,
    limit: ParticipationLimit | None,
    *,
    decides_outside: bool,
) -> Rules:
    rebalancing = specification.rebalancing
    is_plain = (
        market.tradable is None
        and specification.costs.impact is None
        and specification.fractional_holdings
        and specification.max_participation is None
        and rebalancing.max_turnover is None
        and specification.charge_initial_purchase
        and specification.fill is not Fill.NEXT_OPEN
        and costs.per_unit == costs.least_commission == costs.fixed == 0.0
        and costs.most_commission == math.inf
    )
    return Rules(
        start=start,
        delay=specification.delay,
        whole_units=not specification.fractional_holdings,
        fills_at_open=specification.fill is Fill.NEXT_OPEN,
        # A cooldown holds for each tranche: `Sleeves` knows their dates.
        least_between=0 if rebalancing.tranches > 1 else rebalancing.min_periods_between,
        flows_only=rebalancing.flows_only,
        most_turnover=math.inf if rebalancing.max_turnover is None else rebalancing.max_turnover,
        most_traded=_NO_LIMITS if limit is None else limit.most_traded,
        has_participation_limit=limit is not None,
        maintenance_ratio=specification.maintenance_ratio or 0.0,
        conventions=_CONVENTIONS[specification.conventions],
        decides_outside=decides_outside,
        is_plain=is_plain,
        is_quiet=False,
    )


def _is_quiet(inputs: Inputs, *, all_listed: bool) -> bool:
    """Whether `simulate_quietly` can be used: there are decisions known beforehand, plain fills, and nothing else."""
    rules = inputs.rules
    return (
        rules.is_plain
        and all_listed
        and not rules.decides_outside
        and not rules.flows_only
        and rules.least_between == 0
        and rules.maintenance_ratio == 0.0
        and not inputs.bands.is_on
        and not inputs.rates.has_any
        and len(inputs.actions.date) == len(inputs.flows.end) == len(inputs.fee.settled) == 0
    )
