"""A backtest from its wish to its figures.

`prepare` checks everything that can be known before the first step; `run` walks, leg by leg, and can go on from any
`Checkpoint` as if nothing had happened.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from domain.backtest.kernel import CASH_ROUNDING
from domain.backtest.metrics import Curve, Yardsticks, performance
from domain.backtest.rebalancing import Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.result import BacktestOutcome, StrategyOutcome
from domain.backtest.simulator import Leg, Market, Simulation, State
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.backtest.strategies import Strategy
from domain.calendar import periods_per_year
from domain.checks import Vector
from domain.errors import Cancelled, DomainError, InvalidInput, SolverTimedOut
from domain.market_data.missing import complete, refuse_gap_estimators
from domain.market_data.panel import Panel, PricePanel, ReturnPanel
from domain.market_data.source import infer_periods_per_year
from domain.progress import OnProgress, no_progress
from domain.risk.relative import period_share
from domain.warnings import ResultWarning


@dataclass(frozen=True, slots=True)
class Plan:
    """A backtest that can be run: checked data, legs with their dates, curves to compare with."""

    specification: BacktestSpecification
    market: Market
    legs: tuple[Leg, ...]  # strategies, then benchmarks that are strategies
    curves: Mapping[str, Curve]  # benchmarks that are symbols
    warnings: tuple[ResultWarning, ...] = ()  # about what was asked; fields seen from the request

    @property
    def days(self) -> NDArray[np.int32]:
        """Dates of the walk, from the first decision on."""
        return self.market.panel.dates[self.legs[0].start :]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that a walk needs to go on, but for the parts of its records that were handed over before."""

    leg: int
    state: State
    parts: tuple[tuple[int, RecordPart], ...]  # by leg, since the last checkpoint


@dataclass(slots=True)
class Walk:
    """A backtest under way."""

    plan: Plan
    leg: int = 0
    simulation: Simulation | None = None
    records: list[list[RecordPart]] = field(default_factory=list)  # parts of each leg so far
    new: list[tuple[int, RecordPart]] = field(default_factory=list)  # those not handed over yet, by leg

    @property
    def fraction(self) -> float:
        """Share of all dates of all legs that are done."""
        total = len(self.plan.days) * len(self.plan.legs)
        return (self.leg * len(self.plan.days) + self._done()) / total

    @property
    def day(self) -> int:
        """Date the simulation has reached."""
        return int(self.plan.days[max(0, self._done() - 1)])

    @property
    def wealth(self) -> float:
        """Net asset value there."""
        return self.plan.specification.initial_capital if self.simulation is None else self.simulation.wealth

    def navs(self, leg: int, first: int) -> Vector:
        """Net asset values of a strategy from its date number `first` on, as far as it is simulated."""
        parts = [part.wealth for part in self.records[leg]] if leg < len(self.records) else []
        if leg == self.leg and self.simulation is not None:
            parts += self.simulation.record.wealth
        wanted = sum(map(len, parts)) - first
        latest: list[Vector] = []
        while parts and wanted > 0:
            latest.append(parts.pop()[-wanted:])
            wanted -= len(latest[-1])
        return np.concatenate(latest[::-1]) if latest else np.zeros(0)

    def checkpoint(self) -> Checkpoint:
        """Where it stands; the parts it takes along are not given out again."""
        if self.simulation is None:
            raise ValueError("a walk that has not begun has nothing to save")
        self.cut()
        state = self.simulation.state
        # A copy: the walk goes on from its own.
        return Checkpoint(self.leg, replace(state, pending=list(state.pending)), self.hand_over())

    def cut(self) -> None:
        """Ends a part of the current leg's record."""
        if self.simulation is not None:
            part = self.simulation.record.cut()
            self.records[self.leg].append(part)
            self.new.append((self.leg, part))

    def hand_over(self) -> tuple[tuple[int, RecordPart], ...]:
        """The parts that were not handed over before."""
        handed = tuple(self.new)
        self.new = []
        return handed

    def _done(self) -> int:
        return 0 if self.simulation is None else self.simulation.state.place - self.plan.legs[self.leg].start + 1


def prepare(
    specification: BacktestSpecification,
    data: PricePanel | ReturnPanel,
    benchmarks: Mapping[str, PricePanel] | None = None,
    on_progress: OnProgress = no_progress,
) -> Plan:
    """The plan of a specification on data; `benchmarks` holds symbols that are not in the data.

    Raises InvalidInput with the field named: a gap under FAIL, more history asked for than there is, an unknown symbol,
    a benchmark that does not overlap.
    """
    complete_data = _complete(specification, data)
    panel = _prices_of(complete_data)
    periods = infer_periods_per_year(specification.periods_per_year, complete_data)
    market = Market(panel, periods, specification.costs, specification.cash_rate_annual)
    if specification.cash_rate_annual / periods <= -1.0:
        rule = (
            f"must not take all of the cash in one of {periods:g} periods a year, is {specification.cash_rate_annual:g}"
        )
        raise InvalidInput("costs.cash_rate_annual", rule)
    _known_costs(specification, panel)
    named = [(_path(i, specification), s) for i, s in enumerate(specification.strategies)]
    named += [
        (f"benchmarks[{i}].strategy.{b.kind}", b)
        for i, b in enumerate(specification.benchmarks)
        if not isinstance(b, BenchmarkSymbol)
    ]
    start = max(_first_decision(path, strategy, panel) for path, strategy in named)
    legs = tuple(_leg(strategy, specification.rebalancing, specification.delay, panel, start) for _, strategy in named)
    if start + max(specification.delay, 1) > len(panel.dates) - 1:
        raise InvalidInput(
            "prices", f"must hold a date after the first decision can be filled; there are {len(panel.dates)}"
        )
    warnings: list[ResultWarning] = []
    for (path, strategy), leg in zip(named, legs, strict=True):
        simulation = Simulation(market, leg, specification.initial_capital)
        warnings += _check(path, strategy, simulation, start, on_progress)
    curves = {
        b.name: _curve(i, b, panel, panel.dates[start:], benchmarks or {})
        for i, b in enumerate(specification.benchmarks)
        if isinstance(b, BenchmarkSymbol)
    }
    return Plan(specification, market, legs, curves, tuple(warnings))


def run(
    plan: Plan,
    observe: Callable[[Walk], None],
    on_progress: OnProgress,
    checkpoint: Checkpoint | None = None,
    records: Sequence[Sequence[RecordPart]] = (),
) -> BacktestOutcome:
    """Walks to the end and measures.

    `observe` is called after each event and may take a checkpoint; `on_progress` is handed to solvers and raises to
    stop. To go on, give the last checkpoint and every part handed over so far, by leg.
    """
    walk = Walk(plan, records=[list(parts) for parts in records])
    state = None
    if checkpoint is not None:
        walk.leg = checkpoint.leg
        state = replace(checkpoint.state, pending=list(checkpoint.state.pending))
    while walk.leg < len(plan.legs):
        leg = plan.legs[walk.leg]
        if len(walk.records) <= walk.leg:
            walk.records.append([])
        walk.simulation = Simulation(plan.market, leg, plan.specification.initial_capital, state)
        observe(walk)
        for _ in walk.simulation.advance(on_progress):
            on_progress()
            observe(walk)
        walk.cut()
        walk.leg, walk.simulation, state = walk.leg + 1, None, None
    return _outcome(plan, [RecordPart.joined(parts) for parts in walk.records], on_progress)


def simulated_prices(specification: BacktestSpecification, data: PricePanel | ReturnPanel) -> PricePanel:
    """The complete prices a backtest is simulated on; an asset that becomes worthless has the price 0 from then on.

    Raises InvalidInput with the field seen from the request.
    """
    return _prices_of(_complete(specification, data))


def _prices_of(data: PricePanel | ReturnPanel) -> PricePanel:
    """Prices as they are; returns compounded from 100, on the date one usual step before the first of them."""
    if isinstance(data, PricePanel):
        return data
    dates = np.append(int(data.dates[0]) - data.usual_step, data.dates.astype(np.int64))
    with np.errstate(over="ignore", invalid="ignore"):  # infinity is refused by the panel of prices
        levels = 100.0 * np.cumprod(np.vstack([np.ones(len(data.symbols)), 1.0 + data.values]), axis=0)
    try:
        return PricePanel.of(data.symbols, dates, levels)
    except InvalidInput as error:
        rule = f"compounded from 100, one step before the first date, these are no prices: {error.rule}"
        raise InvalidInput("returns", rule) from None


def _complete(specification: BacktestSpecification, data: PricePanel | ReturnPanel) -> PricePanel | ReturnPanel:
    refuse_gap_estimators(specification.missing_data)
    try:
        return complete(data.with_worthless(), specification.missing_data)
    except InvalidInput as error:
        raise error.under("prices" if isinstance(data, PricePanel) else "returns") from None


def _known_costs(specification: BacktestSpecification, panel: PricePanel) -> None:
    known = set(panel.symbols)
    for i, symbol in enumerate(specification.costs.by_symbol_bps):
        if symbol not in known:
            raise InvalidInput(f"costs.by_asset[{i}].symbol", f"{symbol} is not a symbol of the input")


def _path(i: int, specification: BacktestSpecification) -> str:
    strategies = specification.strategies
    listed = specification.listed or len(strategies) > 1
    return f"{f'strategies[{i}]' if listed else 'strategy'}.{strategies[i].kind}"


def _first_decision(path: str, strategy: Strategy, panel: PricePanel) -> int:
    needed = strategy.history.needed
    if needed > len(panel.dates):
        raise InvalidInput(
            f"{path}.lookback_periods",
            f"needs {needed} dates before the first decision, the input has {len(panel.dates)}",
        )
    own = strategy.own_dates()
    if not own:
        return needed - 1
    first = int(np.searchsorted(panel.dates, own[0]))
    if first >= len(panel.dates):
        raise InvalidInput(f"{path}.entries[0].date", "is after the last date of the input")
    return max(needed - 1, first)


def _leg(strategy: Strategy, rebalancing: Rebalancing, delay: int, panel: PricePanel, start: int) -> Leg:
    own = np.searchsorted(panel.dates, np.array(strategy.own_dates(), dtype=np.int64))
    places = np.union1d(np.append(rebalancing.places(panel.dates, start), start), own[own > start])
    # A decision that no date is left to fill is not made.
    return Leg(strategy, places[places + delay < len(panel.dates)], delay)


def _check(
    path: str, strategy: Strategy, simulation: Simulation, start: int, on_progress: OnProgress
) -> list[ResultWarning]:
    try:
        on_progress()
        return [warning.under(path) for warning in strategy.check(simulation.past(start), on_progress)]
    except InvalidInput as error:
        raise error.under(path) from None
    except (Cancelled, SolverTimedOut):
        raise
    except DomainError:
        # Whether there is an answer is a matter of each date, and a value there.
        return []


def _curve(
    i: int,
    benchmark: BenchmarkSymbol,
    panel: PricePanel,
    days: NDArray[np.int32],
    others: Mapping[str, PricePanel],
) -> Curve:
    source: Panel = panel if benchmark.symbol in panel.symbols else others[benchmark.symbol]
    prices = source.column(benchmark.symbol)
    known = np.isin(source.dates, days) & ~np.isnan(prices)
    path = f"benchmarks[{i}].symbol"
    if int(known.sum()) < 2:
        raise InvalidInput(path, f"{benchmark.symbol} has fewer than two dates in common with the backtest")
    if prices[known][0] == 0.0:
        raise InvalidInput(path, f"{benchmark.symbol} is worth 0 where the backtest begins")
    return Curve(source.dates[known], prices[known])


def _outcome(plan: Plan, records: Sequence[RecordPart], on_progress: OnProgress) -> BacktestOutcome:
    specification = plan.specification
    count = len(specification.strategies)
    curves = dict(plan.curves)
    for leg, record in zip(plan.legs[count:], records[count:], strict=True):
        curves[leg.strategy.label] = Curve(plan.days, record.wealth)
    names = [b.name if isinstance(b, BenchmarkSymbol) else b.label for b in specification.benchmarks]
    first = curves[names[0]] if names else None
    done = []
    for leg, record in zip(plan.legs, records, strict=True):
        on_progress()
        done.append(_strategy(plan, leg, record, first))
    by_label = {outcome.label: outcome for outcome in done[count:]}
    compared = [by_label[name] if name in by_label else _held(plan, name, first) for name in names]
    return BacktestOutcome(plan.market.panel.symbols, tuple(done[:count]), tuple(compared))


def _strategy(plan: Plan, leg: Leg, record: RecordPart, benchmark: Curve | None) -> StrategyOutcome:
    last = plan.market.panel.values[-1]
    units = record.units[-1] if len(record.units) else np.zeros(len(last))
    figures = performance(
        Curve(plan.days, record.wealth),
        _yardsticks(plan),
        turnover=float(record.turnovers.sum()),
        cost_total=float(record.cost_fractions.sum()),
        benchmark=benchmark,
    )
    commission, spread = record.cost_money.sum(axis=0).tolist()
    held: Vector = np.zeros(len(last)) if record.exhausted else units
    wealth = float(record.wealth[-1])
    cash = wealth - float(held @ last)
    return StrategyOutcome(
        label=leg.strategy.label,
        performance=figures,
        commission=commission,
        spread=spread,
        rebalances=len(record.fill_places),
        failures=record.failures,
        final_units=held,
        final_cash=cash if abs(cash) > CASH_ROUNDING * wealth else 0.0,
        record=record,
    )


def _held(plan: Plan, name: str, benchmark: Curve | None) -> StrategyOutcome:
    curve = plan.curves[name]
    marks = replace(_yardsticks(plan), periods_per_year=_periods_of(plan, curve))
    figures = performance(curve, marks, turnover=0.0, cost_total=0.0, benchmark=benchmark)
    return StrategyOutcome(name, figures, 0.0, 0.0, 0, (), None, None, None)


def _periods_of(plan: Plan, curve: Curve) -> float:
    """Periods per year of a benchmark by its own dates; those of the backtest where its dates are the same.

    Where their spacing is none of the usual ones, as many as there are of them among the dates of the backtest.
    """
    if np.array_equal(curve.days, plan.days):
        return plan.market.periods_per_year
    try:
        return periods_per_year(curve.days)
    except InvalidInput:
        return plan.market.periods_per_year * period_share(plan.days, curve.days)


def _yardsticks(plan: Plan) -> Yardsticks:
    wanted = plan.specification
    return Yardsticks(
        plan.market.periods_per_year, wanted.risk_free_rate_annual, wanted.minimum_acceptable_return_annual
    )
