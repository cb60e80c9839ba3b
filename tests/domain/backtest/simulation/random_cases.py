"""Random backtests with everything switched on, as a specification and as the same numbers for the reference."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from domain.backtest.cash_flows import CashFlow, FlowTiming, RecurringCashFlow
from domain.backtest.drift_band import BandDestination, BandWidth, DriftBand
from domain.backtest.flow import run
from domain.backtest.preparation import BacktestPlan, prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.result import StrategyOutcome
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import WeightSchedule
from domain.backtest.universe import Universe, UniverseStep
from domain.calendar import Frequency
from domain.costs.holding import DayCount, HoldingCosts, Hurdle, PerformanceFeeTerms, Rate
from domain.costs.impact import Liquidity, SquareRootImpact
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    DividendPolicy,
    PriceBasis,
    Split,
)
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel
from tests.domain.backtest.simulation.reference import Case
from tests.domain.backtest.simulation.reference_tranches import targets_of_tranches

DATES = 40
SYMBOLS = "ABCDE"


@dataclass(frozen=True)
class RandomBacktest:
    """A backtest of one strategy."""

    specification: BacktestSpecification
    panel: PricePanel
    opens: PricePanel | None
    case: Case

    def plan(self) -> BacktestPlan:
        return prepare(self.specification, self.panel, opens=self.opens)

    def outcome(self) -> StrategyOutcome:
        return run(self.plan(), lambda _: None, lambda: None).strategies[0]


def random_backtest(seed: int, wanted: Fill | None = None, crowded: bool = False) -> RandomBacktest:
    """The backtest of a seed, with the fill that is wanted; each feature is on in about half of them.

    `crowded` puts the corporate actions on a few dates, which several of them share.
    """
    rng = np.random.default_rng(seed)

    def on() -> bool:
        return bool(rng.random() < 0.5)

    count = int(rng.integers(1, 6))
    days = np.cumsum(rng.choice([1, 1, 1, 3], DATES)) + 20_000
    closes = 20.0 * np.exp(np.cumsum(rng.normal(0.0, 0.03, (DATES, count)), axis=0))
    opens = closes * np.exp(rng.normal(0.0, 0.01, closes.shape))
    events = _events(rng, count, days, on, {6, 7, 20, 21} if crowded else set(range(DATES)))
    for (t, j), ratio in events.splits.items():
        closes[t:, j] /= ratio
        opens[t:, j] /= ratio
    known = np.ones(closes.shape, bool)
    if on():
        known = rng.random(closes.shape) < 0.85
        known[0] = known[-1] = True
    for (t, j), _ in events.delistings.items():
        known[t:, j] = False
        known[t - 1, j] = True
    _last_days(seed, closes, opens, known, events)
    has_states = not known.all()
    fill = list(Fill)[int(rng.integers(3))]
    fill = fill if wanted is None else wanted
    lag = int(rng.integers(0, 3))
    delay = lag + (fill is not Fill.SAME_CLOSE)
    marks = _marks(closes, known, events)
    paid = _paid(closes, known, marks, events)
    for t, j in events.delistings:
        marks[t:, j] = 0.0
    tradable = known.copy()
    for t, j in events.delistings:
        tradable[t:, j] = False
    at_open = fill is Fill.NEXT_OPEN
    costs, case_costs = _costs(rng, count, on)
    holding, case_holding = _holding(rng, days, on)
    flows, case_flows = _flows(rng, days, on)
    rules, case_rules = _rules(rng, on)
    schedule, decisions = _decisions(rng, count, days, delay)
    whole = on()
    participation = 0.01 if on() and costs.liquidity else None
    specification = BacktestSpecification(
        (schedule,),
        rebalancing=rules,
        fill=fill,
        lag_periods=lag,
        max_participation=participation,
        costs=costs,
        holding_costs=holding,
        charge_initial_purchase=on(),
        initial_capital=1e5,
        initial_holdings=dict.fromkeys(SYMBOLS[:count], 100.0) if on() else {},
        fractional_holdings=not whole,
        corporate_actions=events.actions,
        price_basis=PriceBasis.UNADJUSTED,
        dividend_policy=DividendPolicy.REINVEST if on() else DividendPolicy.CASH,
        withholding_rate=0.15 if on() else 0.0,
        missing_data=MissingDataPolicy.ASSET_STATES if has_states else MissingDataPolicy.FAIL,
        maintenance_ratio=0.6 if on() else None,
        periods_per_year=252.0,
        **flows,
    )
    case = Case(
        days=days.tolist(),
        marks=marks.tolist(),
        fills=np.where(known, opens, marks).tolist() if at_open else marks.tolist(),
        tradable=tradable.tolist(),
        decisions={t: w for t, w in decisions.items() if t + delay < DATES},
        delay=delay,
        cash=1e5,
        units=[specification.initial_holdings.get(symbol, 0.0) for symbol in SYMBOLS[:count]],
        free_start=not specification.charge_initial_purchase,
        splits=events.splits,
        dividends=events.dividends,
        delistings=paid,
        withholding=specification.withholding_rate,
        reinvests=specification.dividend_policy is DividendPolicy.REINVEST,
        whole=whole,
        at_open=at_open,
        maintenance=specification.maintenance_ratio or 0.0,
        most_traded=[] if participation is None else [[participation * 1e6] * count] * DATES,
        **case_costs,
        **case_holding,
        **case_flows,
        **case_rules,
    )
    panel = PricePanel.of(list(SYMBOLS[:count]), days, np.where(known, closes, np.nan))
    given = PricePanel.of(list(SYMBOLS[:count]), days, np.where(known, opens, np.nan)) if at_open else None
    return RandomBacktest(specification, panel, given, case)


@dataclass
class _Events:
    actions: tuple[CorporateAction, ...]
    splits: dict[tuple[int, int], float]
    dividends: dict[tuple[int, int], tuple[float, int]]
    delistings: dict[tuple[int, int], float]


def _events(rng: np.random.Generator, count: int, days: Any, on: Callable[[], bool], dates: set[int]) -> _Events:
    def near(t: int, first: int, end: int) -> int:
        return min([one for one in dates if first <= one < end] or [t], key=lambda one: abs(one - t))

    events = _Events((), {}, {}, {})
    last = [DATES] * count
    actions = []
    if on() and count > 1:
        t = near(int(rng.integers(5, DATES - 2)), 5, DATES - 2)
        events.delistings[t, 0] = float(rng.uniform(-1.0, 0.2))
        actions.append(CorporateAction("A", int(days[t]), Delisting(events.delistings[t, 0])))
        last[0] = t
    for j in range(count):
        if on():
            t = near(int(rng.integers(1, last[j])), 1, last[j])
            events.splits[t, j] = float(rng.choice([2.0, 1.5, 1.0 / 7.0]))
            actions.append(CorporateAction(SYMBOLS[j], int(days[t]), Split(events.splits[t, j])))
        if on():
            chosen = rng.choice(np.arange(1, last[j]), min(3, last[j] - 1), replace=False).tolist()
            for t in sorted({near(t, 1, last[j]) for t in chosen}, key=[near(t, 1, last[j]) for t in chosen].index):
                pay = near(int(rng.integers(t, DATES + 3)), t, DATES)
                events.dividends[t, j] = (float(rng.uniform(0.0, 1.0)), pay)
                pay_day = int(days[pay]) if pay < DATES else int(days[-1]) + pay
                dividend = CashDividend(events.dividends[t, j][0], pay_day)
                actions.append(CorporateAction(SYMBOLS[j], int(days[t]), dividend))
    events.actions = tuple(actions)
    return events


def _marks(closes: Any, known: Any, events: _Events) -> Any:
    marks = np.array(closes)
    for t in range(1, len(marks)):
        for j in range(marks.shape[1]):
            if not known[t, j]:
                marks[t, j] = marks[t - 1, j] / events.splits.get((t, j), 1.0)
    return marks


def _last_days(seed: int, closes: Any, opens: Any, known: Any, events: _Events) -> None:
    """Prices of some assets on the date of their delisting, and an asset that is worth nothing at a close."""
    rng = np.random.default_rng([seed, 1])
    for t, j in events.delistings:
        known[t, j] = bool(rng.random() < 0.5)
    j = closes.shape[1] - 1
    if rng.random() < 0.25 and (j > 0 or not events.delistings):
        t = int(rng.integers(2, DATES - 1))
        closes[t:, j] = opens[t + 1 :, j] = 0.0
        opens[t, j] *= rng.choice([0.0, 1.0])
        known[t:, j] = True


def _paid(closes: Any, known: Any, marks: Any, events: _Events) -> dict[tuple[int, int], float]:
    """What holders of delisted assets receive for one unit."""
    last = {(t, j): closes[t, j] if known[t, j] else marks[t - 1, j] for t, j in events.delistings}
    return {(t, j): float(last[t, j]) * (1.0 + r) for (t, j), r in events.delistings.items()}


def _costs(rng: np.random.Generator, count: int, on: Callable[[], bool]) -> tuple[CostModel, dict[str, Any]]:
    commission, spread = (float(rng.choice([0.0, 10.0, 100.0])) for _ in range(2))
    per_unit, least, fixed = (float(rng.choice([0.0, x])) for x in (0.01, 5.0, 2.0))
    most = float(rng.choice([math.inf, 20.0]))
    borrow = float(rng.choice([0.0, 0.05]))
    symbols = SYMBOLS[:count]
    liquid = on()
    model = CostModel(
        LinearCost(commission, spread),
        impact=SquareRootImpact(1.2) if liquid else None,
        fixed_fee=fixed,
        liquidity={symbol: Liquidity(1e6, 0.3) for symbol in symbols} if liquid else {},
        borrow_rate_annual=borrow,
        commission_per_unit=per_unit,
        least_commission=least,
        most_commission=None if math.isinf(most) else most,
    )
    impact = 2.0 / 3.0 * 1.2 * 0.3 / math.sqrt(252.0) / math.sqrt(1e6) if liquid else 0.0
    return model, {
        "commission": [commission * 1e-4] * count,
        "spread": [spread * 1e-4] * count,
        "impact": [impact] * count,
        "per_unit": per_unit,
        "least": least,
        "most": most,
        "fixed": fixed,
        "borrow": [borrow] * count,
    }


def _holding(rng: np.random.Generator, days: Any, on: Callable[[], bool]) -> tuple[HoldingCosts, dict[str, Any]]:
    cash, financing, management = (float(rng.choice([0.0, x])) for x in (0.03, 0.06, 0.02))
    count = DayCount.ACT_360 if on() else DayCount.ACT_365F
    hurdle, soft = float(rng.choice([0.0, 0.05])), on()
    terms = PerformanceFeeTerms(0.2, hurdle, Hurdle.SOFT if soft else Hurdle.HARD, Frequency.WEEKLY) if on() else None
    return HoldingCosts(Rate(cash), Rate(financing), count, management, terms), {
        "cash_rate": cash,
        "financing_rate": financing,
        "management": management,
        "days_a_year": 360.0 if count is DayCount.ACT_360 else 365.0,
        "fee": None if terms is None else (0.2, hurdle, soft),
        "fee_dates": _week_ends(days.tolist()),
    }


def _week_ends(days: Sequence[int], earlier: Sequence[int] = ()) -> frozenset[int]:
    """Places of the last dates of weeks; after the last date comes one a usual step later, weekends among them."""
    gaps = sorted(b - a for a, b in itertools.pairwise([*earlier, *days]))
    usual = int((gaps[(len(gaps) - 1) // 2] + gaps[len(gaps) // 2]) / 2)
    weeks = [(day + 3) // 7 for day in (*days, days[-1] + usual)]
    return frozenset(t for t, (week, following) in enumerate(itertools.pairwise(weeks)) if week != following)


def _flows(rng: np.random.Generator, days: Any, on: Callable[[], bool]) -> tuple[dict[str, Any], dict[str, Any]]:
    if not on():
        return {}, {}
    start, end, fraction = {}, {}, {}
    flows = []
    for t in rng.choice(np.arange(1, DATES), 4, replace=False).tolist():
        amount, early = float(rng.uniform(-1e4, 2e4)), on()
        (start if early else end)[t] = amount
        flows.append(CashFlow(int(days[t]), amount, FlowTiming.START_OF_DAY if early else FlowTiming.END_OF_DAY))
    recurring = ()
    if on():
        weeks = (days + 3) // 7
        recurring = (RecurringCashFlow(Frequency.WEEKLY, fraction_of_nav=-0.01),)
        fraction = {t: -0.01 for t in range(1, DATES) if weeks[t] != weeks[t - 1]}
    given = {"cash_flows": tuple(flows), "recurring_cash_flows": recurring}
    return given, {"flows_start": start, "flows_end": end, "flow_fraction": fraction}


def _rules(rng: np.random.Generator, on: Callable[[], bool]) -> tuple[Rebalancing, dict[str, Any]]:
    band, flows_only = None, bool(rng.random() < 0.2)
    given: tuple[float, float, float] | None = None
    if not flows_only and on():
        given = (0.04, float(rng.choice([math.inf, 0.2])), float(rng.choice([0.5, 1.0])))
        width = BandWidth(given[0], None if math.isinf(given[1]) else given[1])
        band = DriftBand(width, destination=BandDestination.FRACTION, fraction=given[2])
    between = int(rng.choice([0, 4]))
    turnover = float(rng.choice([math.inf, 0.1]))
    n = int(rng.choice([3, 8, 100]))
    rebalancing = Rebalancing(EveryPeriods(n), band, between, flows_only, None if math.isinf(turnover) else turnover)
    return rebalancing, {
        "band": given,
        "least_between": between,
        "flows_only": flows_only,
        "most_turnover": turnover,
    }


def _decisions(
    rng: np.random.Generator, count: int, days: Any, delay: int
) -> tuple[WeightSchedule, dict[int, list[float]]]:
    entries: dict[int, list[float]] = {}
    for t in [0, *sorted(rng.choice(np.arange(1, DATES), 3, replace=False).tolist())]:
        weights = rng.dirichlet(np.ones(count + 1))[:count]
        if rng.random() < 0.5:
            weights = rng.uniform(-0.4, 0.9, count)
        entries[t] = weights.tolist()
    schedule = WeightSchedule(
        tuple((int(days[t]), dict(zip(SYMBOLS[:count], w, strict=True))) for t, w in entries.items()), leveraged=True
    )
    return schedule, entries


def crowded_backtest(seed: int) -> RandomBacktest:
    """Several actions on a date, some dated on days without prices; rates that step; dates before the start."""
    backtest = with_calendar(random_backtest(seed, crowded=True))
    rng = np.random.default_rng([seed, 2])
    specification, case = backtest.specification, backtest.case
    steps = sorted(set(rng.integers(case.days[0] - 3, case.days[-1] + 3, 3).tolist()))
    rates = [(day, *rng.uniform(-0.02, 0.1, 2).tolist()) for day in steps if rng.random() < 0.7]
    if rates and rates[0][0] > case.days[-1]:
        rates = []  # which is refused
    costs = specification.holding_costs
    cash, financing = costs.cash, costs.financing or Rate()
    if rates and rates[0][0] <= case.days[0] + 1:  # beside which a constant rate is refused
        cash = financing = Rate()
    is_by_bar = bool(rng.random() < 0.3)
    costs = replace(
        costs,
        cash=replace(cash, steps=tuple((day, rate) for day, rate, _ in rates)),
        financing=replace(financing, steps=tuple((day, rate) for day, _, rate in rates)),
        day_count=DayCount.BARS if is_by_bar else costs.day_count,
    )
    before = int(rng.integers(0, 6))
    earlier = [case.days[0] - 2 * k for k in range(before, 0, -1)]
    case = replace(case, fee_dates=_week_ends(case.days, earlier))

    def after(panel: PricePanel) -> PricePanel:
        known = np.where(np.isnan(panel.values[:1]), 30.0, panel.values[:1])
        values = np.vstack([known * rng.uniform(0.5, 2.0, (before, known.shape[1])), panel.values])
        return PricePanel.of(panel.symbols, [*earlier, *case.days], values)

    actions = tuple(_dated_earlier(one, case.days, rng) for one in specification.corporate_actions)
    changed = replace(specification, holding_costs=costs, corporate_actions=actions)
    case = replace(case, steps=rates, days_a_year=0.0 if is_by_bar else case.days_a_year)
    opens = None if backtest.opens is None else after(backtest.opens)
    return RandomBacktest(changed, after(backtest.panel), opens, case)


def _dated_earlier(action: CorporateAction, days: list[int], rng: np.random.Generator) -> CorporateAction:
    """The action on a day since the date before that takes effect on the same date."""

    def earlier(day: int, least: int) -> int:
        if day not in days or days.index(day) == 0:
            return day
        return int(rng.integers(max(days[days.index(day) - 1] + 1, least), day + 1))

    day, event = earlier(action.day, 0), action.event
    if isinstance(event, CashDividend) and event.pay_day is not None:
        event = replace(event, pay_day=earlier(event.pay_day, day))
    return CorporateAction(action.symbol, day, event)


def with_calendar(backtest: RandomBacktest) -> RandomBacktest:
    """The case with the decisions of the rebalancing rule beside those of the schedule."""
    schedule, case = backtest.specification.rebalancing.schedule, backtest.case
    assert isinstance(schedule, EveryPeriods)
    entries, latest, found = case.decisions, [0.0] * len(case.units), {}
    for t in range(DATES - case.delay):
        latest = entries.get(t, latest)
        if t in entries or t % schedule.n == 0:
            found[t] = latest
    return replace(backtest, case=replace(case, decisions=found))


def with_universe(backtest: RandomBacktest, seed: int) -> RandomBacktest:
    """The case of `with_calendar` where assets come and go; one that has a price to the end is always a member.

    Where there is none, all of them stay. A band, or the rule that only flows are traded, goes to the latest weights on
    any date: each change is a decision.
    """
    rng = np.random.default_rng(seed)
    specification, case = backtest.specification, backtest.case
    rules, count = specification.rebalancing, len(case.units)
    assert isinstance(rules.schedule, EveryPeriods)
    priced = [j for j in range(count) if case.marks[-1][j] > 0.0]
    if not priced:
        return with_calendar(backtest)
    changes = {
        t: (rng.random(count) < 0.6) | (np.arange(count) == priced[-1])
        for t in [0, *sorted(rng.choice(np.arange(1, DATES), 4, replace=False).tolist())]
    }
    steps = (
        UniverseStep(case.days[t], tuple(SYMBOLS[j] for j in np.flatnonzero(members))) for t, members in changes.items()
    )
    entries, weights, members, found = case.decisions, [0.0] * count, changes[0], {}
    on_dates: dict[int, list[bool]] = {}
    for t in range(DATES):
        weights, members = entries.get(t, weights), changes.get(t, members)
        on_dates[t] = members.tolist()
        if t + case.delay >= DATES:
            continue
        trades_any_date = rules.band is not None or rules.flows_only
        if t in entries or t % rules.schedule.n == 0 or (trades_any_date and t in changes):
            found[t] = [weight if member else 0.0 for weight, member in zip(weights, members, strict=True)]
    return replace(
        backtest,
        specification=replace(specification, universe=Universe(tuple(steps))),
        case=replace(case, decisions=found, members=on_dates),
    )


def with_tranches(backtest: RandomBacktest, seed: int) -> RandomBacktest:
    """The case of `with_calendar` or `with_universe` with two to four tranches, and without what excludes them."""
    rng = np.random.default_rng([seed, 3])
    specification, case = backtest.specification, backtest.case
    count, n, between = int(rng.choice([2, 3, 4])), int(rng.choice([3, 8])), int(rng.choice([0, 1, 2, 6]))
    rules = Rebalancing(
        EveryPeriods(n),
        min_periods_between=between,
        max_turnover=specification.rebalancing.max_turnover,
        tranches=count,
    )
    schedule = specification.strategies[0]
    assert isinstance(schedule, WeightSchedule)
    entries = {case.days.index(day): [weights[name] for name in weights] for day, weights in schedule.entries}
    wanted: list[dict[int, list[float]]] = [{} for _ in range(count)]
    latest = [0.0] * len(case.units)
    for t in range(DATES - case.delay):
        latest = entries.get(t, latest)
        members = case.members.get(t, [True] * len(latest))
        weights = [weight if member else 0.0 for weight, member in zip(latest, members, strict=True)]
        for j in range(count):
            if t in entries or (t >= j * n // count and (t - j * n // count) % n == 0):
                wanted[j][t] = weights
    decisions = targets_of_tranches(case, wanted, between)
    return replace(
        backtest,
        specification=replace(specification, rebalancing=rules),
        case=replace(
            case,
            decisions=decisions,
            unmade=set().union(*wanted) - set(decisions),
            band=None,
            flows_only=False,
            least_between=0,
        ),
    )
