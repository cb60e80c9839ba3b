"""The order of one date: what happens to an account, step by step, at the prices of that date.

`simulate` runs from date to date and is the function that the rest of the package serves; `quiet` is the short way.
"""

import numpy as np

from domain.backtest.simulation.accruals import (
    borrow_fee_of,
    charge_accruals,
    charge_performance_fee,
    end_flow_of,
    interest_of,
    note_borrowing,
)
from domain.backtest.simulation.arrays import (
    BEYOND_NUMBERS,
    DECISION_DUE,
    DESTINATION_DUE,
    EXHAUSTED,
    FLOW_LEAVES_NOTHING,
    RUNNING,
    Account,
    Actions,
    Bands,
    Costs,
    Flows,
    Output,
    PerformanceFee,
    Plan,
    Positions,
    Prices,
    Rates,
    Rules,
)
from domain.backtest.simulation.bands import are_inside, has_limits, write_limits
from domain.backtest.simulation.borrowed import borrowed
from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.corporate_actions import (
    apply_delistings,
    apply_splits_and_dividends,
    pay_dividends,
)
from domain.backtest.simulation.decisions import decide, decide_by_rule, makes_decision
from domain.backtest.simulation.margin import meet_margin_call
from domain.backtest.simulation.trade_costs import costs_on
from domain.backtest.simulation.trading import fill_due, trade_at_the_close
from domain.backtest.simulation.valuation import value_at

LOST_IN_ROUNDING = 1e-15
"""A net asset value below this fraction of money that comes in cannot be told from none beside it."""


@compiled
def simulate(
    first: int,
    last: int,
    is_decided: bool,
    prices: Prices,
    actions: Actions,
    rates: Rates,
    flows: Flows,
    costs: Costs,
    fee: PerformanceFee,
    bands: Bands,
    plan: Plan,
    rules: Rules,
    account: Account,
    positions: Positions,
    output: Output,
) -> tuple[int, int]:
    """Simulates dates first to last; returns how it ended and the date on which it did.

    Where it ended with DECISION_DUE it is called again with that date as the last one, `is_decided` and the same
    output, once the plan has the decision's weights: it only makes that decision then. DESTINATION_DUE likewise, once
    `band_target` has the weights that a band goes to and `band_made` is the date.
    """
    prices, actions, rates, flows = borrowed(prices), borrowed(actions), borrowed(rates), borrowed(flows)
    costs, fee, bands, plan = borrowed(costs), borrowed(fee), borrowed(bands), borrowed(plan)
    rules, positions, output = borrowed(rules), borrowed(positions), borrowed(output)
    if is_decided:  # not a function of its own: compiling the steps a second time would take as long as the first
        ended = decide(last, prices, costs_on(last, costs), bands, plan, rules, account, positions, output)
        output.nav[last - first] = account.nav
        note_borrowing(last, account)
        return ended, last
    # Taken out of the tuples once: reaching into them costs more than the valuation of a date.
    marks, units, navs, made = prices.marks, positions.units, output.nav, plan.made
    planned, delay, start = len(plan.made), rules.delay, rules.start
    # A call that has nothing to do costs more as well: each is asked for first.
    has_flows, has_fee, has_margin = len(flows.end) > 0, len(fee.settled) > 0, rules.maintenance_ratio > 0.0
    has_actions, has_rules = len(actions.date) > 0, bands.is_on or rules.flows_only
    # Of a target, which only a planned decision changes: most dates end with a look at them.
    limited, limits_since = has_limits(bands), -1
    lower, upper, cash_limits = np.empty(len(units)), np.empty(len(units)), (-np.inf, np.inf)
    for t in range(first, last + 1):
        before, invested = account.nav, 0.0
        flow = 0.0
        if t > start:
            # On the balances of the date before, among them money that came before the return of this period.
            if has_flows:
                invested = flows.start[t]
                account.cash += invested
                if before + invested <= 0.0:
                    return FLOW_LEAVES_NOTHING, t
            interest, borrow, is_borrowed = 0.0, 0.0, account.cash < 0.0
            if rates.has_any:
                interest = interest_of(t, account.cash, rates)
                borrow = borrow_fee_of(t, positions, prices.marks[t - 1], rates)

            # 1. Splits, and 2. dividends: entitled is what was held at the close before.
            if has_actions and is_action_due(t, actions, account):
                apply_splits_and_dividends(t, prices, actions, account, positions, rules, output)
            if has_actions:
                pay_dividends(t, prices, actions, account, positions, rules, output)
            # 3. Interest, borrow fee and management fee for the days since the date before.
            if rates.has_any:
                charge_accruals(t, interest, is_borrowed, borrow, account, rates)
            # 4. Delistings.
            if has_actions and is_action_due(t, actions, account):
                apply_delistings(t, rules.fills_at_open, prices, actions, account, positions, output)
            index = account.next_fill
            fill_is_due = delay > 0 and index < planned and made[index] + delay == t
            fill_is_due = fill_is_due or account.band_made >= 0 or account.carried > 0
            if fill_is_due and rules.fills_at_open:
                fill_due(t, prices, plan, account, positions, costs_on(t, costs), rules, output)
            if has_actions and rules.fills_at_open and is_action_due(t, actions, account):
                apply_delistings(t, False, prices, actions, account, positions, output)
            # 5. The external cash flow, after the return of the period is measured; none where nothing is left.
            if has_flows:
                nav = value_at(t, units, marks) + account.cash + account.receivable
                flow = end_flow_of(t, nav, flows) if nav > 0.0 else 0.0
                if flow < 0.0 and nav + flow <= 0.0:
                    return FLOW_LEAVES_NOTHING, t
                if flow > 0.0 and nav < LOST_IN_ROUNDING * flow:
                    return BEYOND_NUMBERS, t
                account.cash += flow
                account.flows += flow + invested
            # 6. Fills of earlier decisions.
            if fill_is_due and not rules.fills_at_open:
                fill_due(t, prices, plan, account, positions, costs_on(t, costs), rules, output)

        # 7. Mark, performance fee, bankruptcy, margin, and decisions for a later fill.
        nav = value_at(t, units, marks) + account.cash + account.receivable
        if flow > 0.0 >= nav - flow:
            # Its trades cost more than there was without the money that came in: that is not received either.
            account.cash -= flow
            account.flows -= flow
            nav, flow = nav - flow, 0.0
        account.nav = nav
        if has_flows:
            account.flow_today, account.flow_end = flow + invested, flow
        if t > start:
            account.unit_value *= (nav - flow) / (before + invested)
            if has_fee:
                account.years_to_fee += rates.years[t]
                if fee.settled[t]:
                    charge_performance_fee(t, account, fee, output)
        navs[t - first] = account.nav
        if has_flows:
            output.flow_start[t - first], output.flow_end[t - first] = invested, flow
        if not 0.0 < nav < np.inf:
            account.uncovered_loss = max(0.0 - nav, 0.0)
            return (EXHAUSTED if -np.inf < nav <= 0.0 else BEYOND_NUMBERS), t
        if has_margin:
            meet_margin_call(t, prices, account, positions, costs_on(t, costs), rules, output)
            navs[t - first] = account.nav
            if account.nav <= 0.0:  # what closing positions costs can be more than what is left
                account.uncovered_loss = 0.0 - account.nav
                return EXHAUSTED, t
        is_planned = account.next_decision < planned and made[account.next_decision] == t
        if is_planned and rules.decides_outside:
            return DECISION_DUE, t
        if is_planned and makes_decision(t, plan, account, positions, rules) and delay == 0:
            trade_at_the_close(t, positions.target, True, prices, account, positions, costs_on(t, costs), rules, output)
        ended = RUNNING
        if limited and limits_since != account.next_decision:
            cash_limits, limits_since = write_limits(positions.target, bands, lower, upper), account.next_decision
        cash = account.cash + account.receivable
        if has_rules and not (limited and are_inside(t, units, marks, account.nav, cash, lower, upper, cash_limits)):
            ended = decide_by_rule(t, prices, bands, account, positions, costs_on(t, costs), rules, output)
        navs[t - first] = account.nav
        note_borrowing(t, account)
        if ended == DESTINATION_DUE:
            return ended, t
    return RUNNING, last


@compiled
def is_action_due(t: int, actions: Actions, account: Account) -> bool:
    """Whether a corporate action of date t is not applied yet."""
    return account.next_action < len(actions.date) and actions.date[account.next_action] == t
