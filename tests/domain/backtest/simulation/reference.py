"""A second simulation of an account, date by date in plain Python, from the written definitions alone.

It shares no code with the compiled one, works on lists, and finds the net asset value after costs by bisection.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Money = float


@dataclass
class Case:
    """A request as plain numbers; dates are indices but for `days`."""

    days: list[int]
    marks: list[list[float]]  # by date and asset; the last price during a halt, 0 once delisted
    fills: list[list[float]]
    tradable: list[list[bool]]
    decisions: dict[int, list[float]]
    delay: int
    cash: Money
    units: list[float]
    commission: list[float]
    spread: list[float]
    impact: list[float]
    per_unit: Money = 0.0
    least: Money = 0.0
    most: Money = math.inf
    fixed: Money = 0.0
    free_start: bool = False
    cash_rate: float = 0.0
    financing_rate: float = 0.0
    borrow: list[float] = field(default_factory=list)
    days_a_year: float = 365.0  # 0: each date is 1 / 252 of a year
    steps: list[tuple[int, float, float]] = field(default_factory=list)  # day, cash and financing rate from it on
    management: float = 0.0
    fee: tuple[float, float, bool] | None = None  # rate, hurdle a year, whether it is soft
    fee_dates: frozenset[int] = frozenset()
    splits: dict[tuple[int, int], float] = field(default_factory=dict)  # by date and asset
    dividends: dict[tuple[int, int], tuple[float, int]] = field(default_factory=dict)  # amount, pay date
    delistings: dict[tuple[int, int], float] = field(default_factory=dict)  # price that holders receive
    withholding: float = 0.0
    reinvests: bool = False
    whole: bool = False
    at_open: bool = False
    flows_start: dict[int, Money] = field(default_factory=dict)
    flows_end: dict[int, Money] = field(default_factory=dict)
    flow_fraction: dict[int, float] = field(default_factory=dict)
    band: tuple[float, float, float] | None = None  # absolute, relative, fraction of the way
    least_between: int = 0
    flows_only: bool = False
    most_turnover: float = math.inf
    most_traded: list[list[float]] = field(default_factory=list)  # by date and asset
    maintenance: float = 0.0
    dated_impact: Callable[[int, int, Money, float], Money] | None = None  # of date, asset, trade and price
    members: dict[int, list[bool]] = field(default_factory=dict)  # by date, of every date with a universe
    unmade: set[int] = field(default_factory=set)  # dates of decisions that come to nothing


class Bankrupt(Exception):
    """The net asset value is 0 or less; its argument is how much less."""


class Reference:
    """The account of a case, from date to date."""

    def __init__(self, case: Case) -> None:
        self.case, self.count = case, len(case.units)
        self.cash, self.units = case.cash, list(case.units)
        self.owed: list[tuple[int, int, Money]] = []  # pay date, asset, amount
        self.carried: dict[int, float] = {}  # weights by asset, or money where only flows are traded
        self.pending: dict[int, tuple[list[float], bool]] = {}  # weights by date of fill, or money, and which
        self.target: list[float] | None = None
        self.filled = False
        self.held_so_far = any(self.units)
        self.first_carried = False  # whether what is carried is of the purchase from cash alone
        self.cash_floor = 0.0
        self.rest_traded = -1  # date on which what is carried was last traded
        self.uninvested = False  # whether money that came in waits, where only flows are traded
        self.decided = -(10**9)
        self.unit_value = self.high_water = 1.0
        self.fee_years = 0.0
        self.flow = 0.0  # of the date, after its return
        self.today = 0
        self.navs: list[float] = []
        self.unit_values: list[float] = []
        self.uncovered = 0.0  # how far below 0 the net asset value fell
        self.first_borrowed: int | None = None
        self.paid: dict[str, Money] = defaultdict(float)  # by kind, and external flows

    def nav(self, prices: list[float]) -> Money:
        """Positions, cash and receivables."""
        return math.fsum([*map(lambda u, p: u * p, self.units, prices), self.cash, *(a for _, _, a in self.owed)])

    def run(self) -> None:
        """All dates; the first value is the one before any trade."""
        opening = self.nav(self.case.marks[0])
        for t in range(len(self.case.days)):
            try:
                self.date(t)
            except Bankrupt as ruin:
                (self.uncovered,) = ruin.args
                self.navs += [0.0] * (len(self.case.days) - t)
                self.unit_values += [0.0] * (len(self.case.days) - t)
                break
        self.navs[0] = opening

    def date(self, t: int) -> None:
        """One date, in the order of the definitions."""
        case, marks, flow, start = self.case, self.case.marks[t], 0.0, 0.0
        self.today = t
        if t:
            before = self.last_nav
            start = case.flows_start.get(t, 0.0)
            self.cash += start
            years = (case.days[t] - case.days[t - 1]) / case.days_a_year if case.days_a_year else 1 / 252
            interest = self.cash * years * self.rate(t, self.cash > 0)
            owed = interest if self.cash < 0 else 0.0  # what a negative balance earns, usually below 0
            shorts = [max(-u, 0.0) * p for u, p in zip(self.units, case.marks[t - 1], strict=True)]
            borrow = years * math.fsum(r * s for r, s in zip(case.borrow, shorts, strict=True))
            self.corporate_actions(t)
            self.cash += interest - borrow - case.management * years * before
            self.paid["financing"] -= owed
            self.paid["borrow"] += borrow
            self.paid["management_fee"] += case.management * years * before
            self.paid["flows"] += start
            if case.at_open:  # before the closes of the date are known
                self.delist(t, [j for j in range(self.count) if case.fills[t][j] == 0.0])
                self.fill_due(t)
            self.delist(t, range(self.count))
            value = self.nav(marks)
            if value <= 0.0:  # and no flow is received
                raise Bankrupt(-value)
            flow = case.flows_end.get(t, 0.0) + case.flow_fraction.get(t, 0.0) * value
            self.cash += flow
            self.paid["flows"] += flow
            if not case.at_open:
                self.fill_due(t)
            nav = self.nav(marks)
            if nav - max(flow, 0.0) <= 0.0:
                self.paid["flows"] -= max(flow, 0.0)
                raise Bankrupt(max(flow, 0.0) - nav)
            self.unit_value *= (nav - flow) / (before + start)
            self.fee_years += years
            self.flow = flow
            if t in case.fee_dates and case.fee:
                self.performance_fee(case.fee, nav - flow)
        if self.nav(marks) <= 0.0:
            raise Bankrupt(-self.nav(marks))
        if case.maintenance:
            self.margin(t)
            if self.nav(marks) <= 0.0:
                raise Bankrupt(-self.nav(marks))
        self.decide(t, flow + start)
        self.last_nav = self.nav(marks)
        if self.first_borrowed is None and self.cash < -1e-9 * self.last_nav:
            self.first_borrowed = t
        self.navs.append(self.last_nav)
        self.unit_values.append(self.unit_value)

    def rate(self, t: int, is_cash: bool) -> float:
        """Mean over the days after the date before, up to this one; a step holds from its day on."""
        case, rates = self.case, []
        for day in range(case.days[t - 1] + 1, case.days[t] + 1):
            rate = case.cash_rate if is_cash else case.financing_rate
            for since, cash, financing in case.steps:
                if since <= day:
                    rate = cash if is_cash else financing
            rates.append(rate)
        return math.fsum(rates) / len(rates)

    def delist(self, t: int, assets: Iterable[int]) -> None:
        for j in assets:
            if (t, j) in self.case.delistings:
                self.cash += self.units[j] * self.case.delistings[t, j]
                self.units[j] = 0.0
                self.carried.pop(j, None)

    def corporate_actions(self, t: int) -> None:
        """At the prices at which orders of the date are filled."""
        case = self.case
        for j in range(self.count):
            if (t, j) in case.splits:
                after = self.units[j] * case.splits[t, j]
                if case.whole:
                    whole = math.trunc(after * (1 + 1e-12))
                    self.cash += (after - whole) * case.fills[t][j]
                    after = whole
                self.units[j] = after
        for j in range(self.count):
            if (t, j) in case.dividends:
                amount, pay = case.dividends[t, j]
                gross = self.units[j] * amount
                self.paid["withholding"] += max(gross, 0.0) * case.withholding
                self.owed.append((pay, j, gross - max(gross, 0.0) * case.withholding))
        for pay, j, amount in self.owed:
            if pay <= t:
                self.cash += amount
                price = case.fills[t][j]
                held = self.units[j] > 0.0
                if case.reinvests and held and amount > 0.0 and price > 0.0 and case.tradable[t][j]:
                    bought = amount / price
                    bought = math.trunc(bought * (1 + 1e-12)) if case.whole else bought
                    self.units[j] += bought
                    self.cash -= bought * price
        self.owed = [one for one in self.owed if one[0] > t]

    def performance_fee(self, terms: tuple[float, float, bool], nav: Money) -> None:
        rate, hurdle_annual, soft = terms
        hurdle = max(self.high_water, self.high_water * (1 + hurdle_annual * self.fee_years))
        if self.unit_value > hurdle:
            gain = self.unit_value - (self.high_water if soft else hurdle)
            self.cash -= rate * gain * nav / self.unit_value
            self.paid["performance_fee"] += rate * gain * nav / self.unit_value
            self.unit_value -= rate * gain
        self.high_water = max(self.high_water, self.unit_value)
        self.fee_years = 0.0

    def decide(self, t: int, flow: Money) -> None:
        case, marks = self.case, self.case.marks[t]
        early = t - self.decided < case.least_between
        if t in case.decisions and early and self.target is not None and t in case.members:
            self.target = [g if member else 0.0 for g, member in zip(self.target, case.members[t], strict=True)]
        self.uninvested = self.uninvested or flow > 0.0
        if t in case.unmade and case.delay == 0 and self.carried and self.rest_traded != t:
            before = self.nav(marks)
            self.trade_rest(t)
            self.unit_value *= (self.nav(marks) - self.flow) / (before - self.flow)
        if t in case.decisions and not early:
            first = self.target is None
            self.target = case.decisions[t]
            if not case.flows_only or (first and not any(self.units)):
                self.order(t, self.target)
            elif first:
                self.uninvested = True  # the cash beside the holdings
        if self.target is None or self.pending or self.carried or self.decided == t or early:
            return
        if case.delay == 0 and self.rest_traded == t:  # a trade waited for its fill on this date
            return
        nav = self.nav(marks)
        if case.flows_only:
            if self.uninvested:
                self.uninvested = False
                self.invest_flow(t, nav)
            return
        weights = [u * p / nav for u, p in zip(self.units, marks, strict=True)]
        movable = [p > 0 and ok for p, ok in zip(marks, case.tradable[t], strict=True)]
        since = [case.marks[s] for s in range(max(self.decided, 0), t)]
        is_tried = case.whole and flow == 0.0 and self.decided >= 0 and all(row == marks for row in since)
        if case.band is not None and self.filled and not is_tried:
            absolute, relative, fraction = case.band
            pairs = [(w, g) for w, g, ok in zip(weights, self.target, movable, strict=True) if ok]
            if abs(1 - sum(self.target)) > 1e-12:
                pairs.append((1 - sum(weights), 1 - sum(self.target)))
            widths = [absolute if math.isinf(relative) else min(absolute, relative * abs(g)) for _, g in pairs]
            if any(abs(w - g) > width + 1e-12 for (w, g), width in zip(pairs, widths, strict=True)):
                moved = [
                    w + fraction * (g - w) if ok else w for w, g, ok in zip(weights, self.target, movable, strict=True)
                ]
                trades = any(abs(m - w) > 1e-12 for m, w in zip(moved, weights, strict=True))
                if trades and (not case.whole or self.gets_nearer(weights, moved, movable, nav)):
                    self.order(t, moved)

    def gets_nearer(self, weights: list[float], moved: list[float], movable: list[bool], nav: Money) -> bool:
        """Whether a whole unit of something outside its band is traded towards where it goes."""
        assert self.target is not None
        assert self.case.band is not None
        absolute, relative, _ = self.case.band
        marks = self.case.marks[self.today]
        held = [u * p for u, p in zip(self.units, marks, strict=True)]

        def is_outside(w: float, g: float) -> bool:
            return abs(w - g) > (absolute if math.isinf(relative) else min(absolute, relative * abs(g))) + 1e-12

        after = self.value_after({j: m for j, m in enumerate(moved) if movable[j]}, held, marks, nav)
        if after is None:
            return True
        cash, wanted_cash = 1 - sum(weights), 1 - sum(self.target)
        rise = cash - wanted_cash if abs(wanted_cash) > 1e-12 and is_outside(cash, wanted_cash) else 0.0
        for j, (w, m, g) in enumerate(zip(weights, moved, self.target, strict=True)):
            if movable[j] and (is_outside(w, g) or rise * (m - w) > 0):
                more = math.trunc(m * after / marks[j] * (1 + 1e-12)) - self.units[j]
                if more * (m - w) > 0:
                    return True
        return False

    def invest_flow(self, t: int, nav: Money) -> None:
        """Cash beyond its target buys what is below its own, in proportion to the distance; nothing is sold."""
        assert self.target is not None
        held = [u * p for u, p in zip(self.units, self.case.marks[t], strict=True)]
        short = [
            max(g * nav - h, 0.0) if p > 0 else 0.0
            for g, h, p in zip(self.target, held, self.case.marks[t], strict=True)
        ]
        excess = nav * sum(self.target) - sum(held)
        if excess > 1e-12 * nav and sum(short) > 1e-12 * nav:
            self.order(t, [x * min(1.0, excess / sum(short)) for x in short], in_money=True)

    def order(self, t: int, amounts: list[float], in_money: bool = False) -> None:
        self.decided = t
        if self.case.delay:
            self.pending[t + self.case.delay] = (amounts, in_money)
            return
        before = self.nav(self.case.marks[t])
        self.fill(t, dict(enumerate(amounts)), in_money, is_rest=False)
        self.unit_value *= (self.nav(self.case.marks[t]) - self.flow) / (before - self.flow)

    def fill_due(self, t: int) -> None:
        if t in self.pending:
            amounts, in_money = self.pending.pop(t)
            self.fill(t, dict(enumerate(amounts)), in_money, is_rest=False)
        elif self.carried and not self.is_replaced(t):
            self.trade_rest(t)

    def trade_rest(self, t: int) -> None:
        """Trades what is carried over from an earlier date."""
        self.drop_what_left(t)
        before = list(self.units)
        if self.carried:
            self.fill(t, dict(self.carried), self.case.flows_only, is_rest=True)
        if self.units != before:
            self.rest_traded = t

    def drop_what_left(self, t: int) -> None:
        """What is carried in assets that are no members any more: a position may only get smaller."""
        case, prices = self.case, self.case.fills[t]
        nav = self.nav(prices)
        if t not in case.members or nav <= 0.0:
            return
        for j in [j for j in self.carried if not case.members[t][j]]:
            held = self.units[j] * prices[j]
            goal = held + self.carried[j] if case.flows_only else self.carried[j] * nav
            reached = min(max(goal, min(held, 0.0)), max(held, 0.0))
            if reached == held:
                del self.carried[j]
                self.uninvested = self.uninvested or case.flows_only
            elif reached != goal:  # nothing is left of the position
                self.carried[j] = -held if case.flows_only else 0.0

    def is_replaced(self, t: int) -> bool:
        """Whether a decision that is filled at the same close takes the place of what is carried."""
        case = self.case
        early = t - self.decided < case.least_between
        is_asked = t in case.decisions or t in case.unmade
        return case.delay == 0 and is_asked and not early and not case.flows_only

    def fill(self, t: int, amounts: dict[int, float], in_money: bool, is_rest: bool) -> None:
        first = not self.held_so_far or (is_rest and self.first_carried)
        before = list(self.units)
        if in_money:
            self.invest(t, amounts, first, is_rest)
        else:
            self.trade(t, amounts, first, is_rest)
        if self.units != before or not first:
            self.held_so_far = True
            self.first_carried = first and bool(self.carried)

    def invest(self, t: int, money: dict[int, Money], first: bool, is_rest: bool) -> None:
        """Trades for money, costs included; what halts and limits leave is kept."""
        case, prices = self.case, self.case.fills[t]
        nav = self.nav(prices)
        money = {j: x for j, x in money.items() if abs(x) > 1e-12 * nav}
        self.uninvested = self.uninvested or any(prices[j] <= 0 for j in money)
        self.carried = {j: x for j, x in money.items() if prices[j] > 0 and not case.tradable[t][j]}
        trades = {j: x for j, x in money.items() if prices[j] > 0 and case.tradable[t][j]}
        least = max(self.cash - sum(trades.values()), self.cash_floor * nav)
        turnover = sum(map(abs, [*trades.values(), *self.carried.values()])) / 2 / nav
        if not first and not is_rest and turnover > case.most_turnover:
            trades = {j: x * case.most_turnover / turnover for j, x in trades.items()}
            self.carried = {j: x * case.most_turnover / turnover for j, x in self.carried.items()}
            self.uninvested = True
        for j, x in trades.items():
            if case.most_traded and abs(x) > case.most_traded[t][j]:
                trades[j] = math.copysign(case.most_traded[t][j], x)
                self.carried[j] = x - trades[j]
        self.settle(t, trades, nav, least, first and case.free_start)

    def cost(self, j: int, traded: Money, price: float) -> Money:
        """Of a trade, in money; nothing for no trade."""
        if traded <= 0.0:
            return 0.0
        return math.fsum(self.costs(j, traded, price).values())

    def costs(self, j: int, traded: Money, price: float) -> dict[str, Money]:
        """The same by kind."""
        case = self.case
        commission = min(max(case.commission[j] * traded + case.per_unit * traded / price, case.least), case.most)
        impact = case.impact[j] * traded**1.5
        if case.dated_impact is not None:
            impact = case.dated_impact(self.today, j, traded, price)
        return {"commission": commission, "spread": case.spread[j] * traded, "impact": impact, "fixed": case.fixed}

    def pay(self, j: int, traded: Money, price: float) -> Money:
        """The cost of a trade that is made."""
        if traded > 0.0:
            for kind, amount in self.costs(j, traded, price).items():
                self.paid[kind] += amount
        return self.cost(j, traded, price)

    def trade(self, t: int, wanted: dict[int, float], first: bool, is_rest: bool) -> None:
        """To weights of the net asset value after costs, as far as halts, limits and cash allow."""
        case, prices = self.case, self.case.fills[t]
        nav = self.nav(prices)
        if nav <= 0.0:  # at an open: the mark of the date says whether that is the end
            return
        held = [u * p for u, p in zip(self.units, prices, strict=True)]
        moving = {j: w for j, w in wanted.items() if prices[j] > 0 and case.tradable[t][j]}
        free, borrowed = case.free_start and first, sum(wanted.values())
        self.carried = {
            j: w
            for j, w in wanted.items()
            if prices[j] > 0 and j not in moving and abs(w * nav - held[j]) > 1e-12 * nav
        }

        after = nav if free else self.value_after(moving, held, prices, nav)
        if after is None:
            return
        trades = {j: w * after - held[j] for j, w in moving.items()}
        trades = {j: x for j, x in trades.items() if abs(x) > 1e-12 * nav}
        if case.whole:  # costs alone trade no unit
            before = {j: w * nav - held[j] for j, w in moving.items()}
            trades = {j: x for j, x in trades.items() if abs(before[j]) > 1e-12 * nav and x * before[j] > 0}
        halted = {j: w * after - held[j] for j, w in self.carried.items()}
        turnover = sum(map(abs, [*trades.values(), *halted.values()])) / 2 / nav
        cut = bool(is_rest or self.carried or case.most_traded or case.whole or sum(a for _, _, a in self.owed) > 0)
        if not first and not is_rest and turnover > case.most_turnover:
            scaled_all = {j: x * case.most_turnover / turnover for j, x in (trades | halted).items()}
            trades = {j: scaled_all[j] for j in trades}
            cut = True
            # What is carried is the rest of these trades: goes to the weights that they lead to.
            # What is halted is not traded, and costs nothing.
            after = nav if free else nav - sum(self.cost(j, abs(x), prices[j]) for j, x in trades.items())
            wanted = wanted | {j: (held[j] + x) / after for j, x in scaled_all.items()}
            self.carried = {j: wanted[j] for j in self.carried}
        for j, x in trades.items():
            if case.most_traded and abs(x) > case.most_traded[t][j]:
                trades[j] = math.copysign(case.most_traded[t][j], x)
                self.carried[j] = wanted[j]
        if not is_rest:
            self.cash_floor = min(0.0, 1 - borrowed)
        floor = self.cash_floor * after if cut else -math.inf
        scaled = self.settle(t, trades, nav, floor, free)
        if any(w * after < held[j] for j, w in self.carried.items()):
            # Purchases that lack the cash of a sale that waits, wait with it.
            self.carried = {j: wanted[j] for j in scaled} | self.carried
        if case.flows_only:
            done = {j: trades.get(j, 0.0) for j in self.carried}
            self.carried = {j: w * after - held[j] - done[j] for j, w in self.carried.items()}

    def value_after(self, moving: dict[int, float], held: list[Money], prices: list[float], nav: Money) -> Money | None:
        """The largest net asset value that the costs of trading to weights of it leave; none where they exceed it."""

        def needed(value: Money) -> Money:
            trades = {j: abs(w * value - held[j]) for j, w in moving.items()}
            return sum(self.cost(j, x, prices[j]) for j, x in trades.items() if x > 1e-12 * nav)

        low, high = 0.0, nav
        if nav + needed(nav) <= nav:
            return nav
        if needed(0.0) > nav:  # selling everything cannot be paid; the trade that is wanted may be smaller
            low = self.cheapest(needed, nav)
            if low + needed(low) > nav:
                return None
        for _ in range(200):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if middle + needed(middle) <= nav else (low, middle)
        return low

    @staticmethod
    def cheapest(needed: Callable[[Money], Money], nav: Money) -> Money:
        """The net asset value at which it and its costs are least in sum, which is convex."""
        low, high = 0.0, nav
        for _ in range(200):
            third = (high - low) / 3.0
            left, right = low + third, high - third
            low, high = (low, right) if left + needed(left) < right + needed(right) else (left, high)
        return low

    def settle(self, t: int, trades: dict[int, Money], nav: Money, least: Money, free: bool) -> list[int]:
        """Makes trades in whole units within the cash; returns the purchases that were scaled down for it."""
        prices, whole = self.case.fills[t], self.case.whole
        if whole:
            for j, x in trades.items():
                units = math.trunc((self.units[j] + x / prices[j]) * (1 + 1e-12))
                trades[j] = (units - self.units[j]) * prices[j]
        purchases = [j for j, x in trades.items() if x > 0]
        scaled = purchases if self.keep_cash(trades, prices, least, free) else []
        for j, x in trades.items():
            if abs(x) <= 1e-12 * nav:
                continue
            units = (self.units[j] * prices[j] + x) / prices[j]
            # What is sold in full leaves no rounding error: on that no dividend could be reinvested.
            self.units[j] = round(units) if whole else units * (abs(units * prices[j]) > 1e-12 * nav)
            self.cash -= x + (0.0 if free else self.pay(j, abs(x), prices[j]))
        self.filled = True
        return scaled

    def keep_cash(self, trades: dict[int, Money], prices: list[float], least: Money, free: bool) -> bool:
        """Purchases are scaled alike to what the cash on hand and the sales pay for; says whether they had to be."""

        def left(share: float) -> Money:
            scaled = {j: x * share if x > 0 else x for j, x in trades.items()}
            costs = 0.0 if free else sum(self.cost(j, abs(x), prices[j]) for j, x in scaled.items())
            return self.cash - sum(scaled.values()) - costs - least

        if left(1.0) >= -1e-12 * self.nav(prices):
            return False
        low, high = 0.0, 1.0
        for _ in range(200):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if left(middle) >= 0 else (low, middle)
        for j, x in trades.items():
            if x > 0:
                share = x * low
                trades[j] = math.trunc(share / prices[j] * (1 + 1e-12)) * prices[j] if self.case.whole else share
        return True

    def margin(self, t: int) -> None:
        """Closes the least common fraction of all positions that restores the ratio of equity to gross exposure."""
        marks = self.case.marks[t]
        held = [u * p for u, p in zip(self.units, marks, strict=True)]
        nav, gross = self.nav(marks), sum(map(abs, held))
        if not gross or nav / gross >= self.case.maintenance - 1e-12:
            return
        least = 1e-12 * nav
        open_ = [j for j in range(self.count) if abs(held[j]) > least and self.case.tradable[t][j]]

        def costs(share: float) -> Money:
            return sum(self.cost(j, share * abs(held[j]), marks[j]) for j in open_ if share * abs(held[j]) > least)

        low, high = 0.0, 1.0
        for _ in range(200):
            middle = 0.5 * (low + high)
            exposure = gross - middle * sum(abs(held[j]) for j in open_)
            enough = nav - costs(middle) >= self.case.maintenance * exposure
            low, high = (low, middle) if enough else (middle, high)
        for j in open_:
            after = self.units[j] * (1 - high)
            after = math.trunc(after * (1 + 1e-12)) if self.case.whole else after
            sold = (self.units[j] - after) * marks[j]
            if abs(sold) <= least:
                continue
            self.cash += sold - self.pay(j, abs(sold), marks[j])
            self.units[j] = after
        self.unit_value *= (self.nav(marks) - self.flow) / (nav - self.flow)
