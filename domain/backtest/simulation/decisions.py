"""Decisions of a date: the planned one, and those that a drift band or an external cash flow calls for."""

import numpy as np

from domain.backtest.simulation.arrays import (
    ANY_BREACH,
    COST_BENEFIT,
    DESTINATION_DUE,
    EXACT,
    RUNNING,
    TO_EDGE,
    WEIGHED,
    Account,
    Bands,
    Costs,
    Flags,
    Floats,
    Output,
    Plan,
    Positions,
    Prices,
    Rules,
)
from domain.backtest.simulation.bands import (
    benefit_and_cost,
    breaches_of,
    destination_of,
    has_trigger,
    rise_of_sum,
)
from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.corporate_actions import write_event
from domain.backtest.simulation.flows_only import money_to_invest
from domain.backtest.simulation.trade_costs import TRADED, value_after
from domain.backtest.simulation.trade_limits import whole_units_of
from domain.backtest.simulation.trading import trade_at_the_close, trade_rest_at_the_close
from domain.backtest.simulation.valuation import copy_into


@compiled
def decide(
    t: int,
    prices: Prices,
    costs: Costs,
    bands: Bands,
    plan: Plan,
    rules: Rules,
    account: Account,
    positions: Positions,
    output: Output,
) -> int:
    """Makes the decision of date t, and trades where it is filled on the same date; returns how it ended."""
    if account.band_made == t:
        head_for_band(t, prices, bands, account, positions, costs, rules, output)
        return RUNNING
    is_made = makes_decision(t, plan, account, positions, rules)
    if is_made and rules.delay == 0:
        trade_at_the_close(t, positions.target, True, prices, account, positions, costs, rules, output)
    elif rules.delay == 0 and account.carried > 0 and account.rest_traded != t:
        trade_rest_at_the_close(t, prices, plan, account, positions, costs, rules, output)
    if bands.is_on or rules.flows_only:
        return int(decide_by_rule(t, prices, bands, account, positions, costs, rules, output))
    return RUNNING


@compiled
def head_for_band(
    t: int,
    prices: Prices,
    bands: Bands,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
) -> None:
    """Decides for the weights of `band_target`, which the caller has worked out, where they are worth their cost."""
    goal = positions.band_target.copy()
    account.band_made = -1
    if rules.whole_units and not is_nearer_in_units(
        positions.units * prices.marks[t] / account.nav,
        goal,
        positions,
        prices.marks[t],
        movable_assets(t, prices),
        account.nav,
        costs,
        bands,
        rules,
    ):
        return
    if bands.trigger == COST_BENEFIT:
        held = positions.units * prices.marks[t]
        returns = prices.returns[max(1, t + 1 - bands.window) : t + 1]
        weights, movable = held / account.nav, movable_assets(t, prices)
        benefit, cost = benefit_and_cost(
            weights, goal, positions.target, returns, held, prices.marks[t], movable, account.nav, costs, bands
        )
        if benefit <= cost:
            return
        write_event(t, -1, WEIGHED, benefit, cost, 0.0, output)
    account.last_decision = t
    if rules.delay == 0:
        trade_at_the_close(t, goal, False, prices, account, positions, costs, rules, output)
    else:
        account.band_made = t


@compiled
def makes_decision(t: int, plan: Plan, account: Account, positions: Positions, rules: Rules) -> bool:
    """Makes the decision that is planned for date t, and says whether it is to be filled.

    A cooldown drops it: the target stays that of the decision before, without what has left the universe. Where only
    flows are traded it sets the target, and is filled only if it is the first one and nothing is held.
    """
    index = account.next_decision
    account.next_decision = index + 1
    if rules.delay == 0:
        account.next_fill = index + 1
    # One that could not be made is dropped already: the holdings drift on, and no cooldown begins.
    if positions.dropped[index] or is_too_early(t, account, rules):
        positions.dropped[index] = True
        if rules.decides_outside:  # its weights are the target until now, without what has left the universe
            copy_into(positions.target, plan.targets, plan.row[index])
        elif len(plan.members) > 0:
            for i in range(len(positions.target)):
                if not plan.members[t, i]:
                    positions.target[i] = 0.0
        return False
    copy_into(positions.target, plan.targets, plan.row[index])
    is_first = account.has_target == 0
    account.has_target = 1
    if rules.flows_only and (not is_first or np.any(positions.units != 0.0)):
        positions.dropped[index] = True
        if is_first:  # cash beside the initial holdings is money to invest
            account.flow_waits = 1
        return False
    account.last_decision = t
    return True


@compiled
def is_too_early(t: int, account: Account, rules: Rules) -> bool:
    """Whether the last rebalancing was decided too few dates before date t."""
    return account.last_decision >= 0 and t - account.last_decision < rules.least_between


@compiled
def decide_by_rule(
    t: int,
    prices: Prices,
    bands: Bands,
    account: Account,
    positions: Positions,
    costs: Costs,
    rules: Rules,
    output: Output,
) -> int:
    """A decision by a band, or by the rule that only flows are traded, unless a trade waits already.

    Returns DESTINATION_DUE where the caller has to work out the weights that a band goes to, and RUNNING otherwise.
    """
    if rules.flows_only and account.flow_today > 0.0:
        account.flow_waits = 1
    if account.has_target == 0 or account.last_decision == t or is_too_early(t, account, rules):
        return RUNNING
    if trade_waits(account, positions):
        return RUNNING
    if rules.delay == 0 and account.rest_traded == t:  # it waited on this date, and has used its limits
        return RUNNING
    held = positions.units * prices.marks[t]
    if rules.flows_only:
        if account.flow_waits == 0:
            return RUNNING
        account.flow_waits = 0
        goal = money_to_invest(held, positions.target, prices.marks[t], account.nav)
        if goal.max() <= TRADED * account.nav:
            return RUNNING
    else:
        if account.fills == 0 or (rules.whole_units and is_tried(t, prices, account)):
            return RUNNING
        weights = held / account.nav
        movable = movable_assets(t, prices)
        # The first date has no return.
        returns = prices.returns[max(1, t + 1 - bands.window) : t + 1] if len(prices.returns) > 0 else prices.returns
        if not has_trigger(
            weights, positions.target, returns, held, prices.marks[t], movable, account.nav, costs, bands
        ):
            return RUNNING
        if bands.by_program:
            return DESTINATION_DUE
        goal = destination_of(weights, positions.target, movable, bands)
        if np.abs(goal - weights).max() <= TRADED:  # nothing that can be traded brings it nearer
            return RUNNING
        if rules.whole_units and not is_nearer_in_units(
            weights, goal, positions, prices.marks[t], movable, account.nav, costs, bands, rules
        ):
            return RUNNING
        if bands.trigger == COST_BENEFIT:
            benefit, cost = benefit_and_cost(
                weights, goal, positions.target, returns, held, prices.marks[t], movable, account.nav, costs, bands
            )
            write_event(t, -1, WEIGHED, benefit, cost, 0.0, output)
    account.last_decision = t
    if rules.delay == 0:
        trade_at_the_close(t, goal, False, prices, account, positions, costs, rules, output)
    else:
        positions.band_target[:] = goal
        account.band_made = t
    return RUNNING


@compiled
def is_tried(t: int, prices: Prices, account: Account) -> bool:
    """Whether prices are those of the last decision, and no money comes in or goes out: rounding left what is left."""
    if account.last_decision < 0 or account.flow_today != 0.0:
        return False
    for since in range(t - 1, account.last_decision - 1, -1):
        for i in range(prices.marks.shape[1]):
            if prices.marks[since, i] != prices.marks[t, i]:
                return False
    return True


@compiled
def is_nearer_in_units(
    weights: Floats,
    goal: Floats,
    positions: Positions,
    marks: Floats,
    movable: Flags,
    nav: float,
    costs: Costs,
    bands: Bands,
    rules: Rules,
) -> bool:
    """Whether a whole unit at least is traded of something outside its band, towards where it goes.

    Otherwise the others would give way for nothing, on each date again. Weights and the goal are (N,).
    """
    if bands.trigger != ANY_BREACH and bands.destination != TO_EDGE:
        return True
    after = nav
    if rules.conventions == EXACT:
        after = value_after(goal, positions.units * marks, marks, movable, costs, nav)
        if after <= 0.0:  # the fill says that its costs are too high
            return True
    breached, rise = (
        breaches_of(weights, positions.target, movable, bands),
        rise_of_sum(weights, positions.target, bands),
    )
    for i in range(len(goal)):
        if movable[i] and (breached[i] or rise * (goal[i] - weights[i]) > 0.0):
            more = whole_units_of(goal[i] * after / marks[i]) - positions.units[i]
            if more * (goal[i] - weights[i]) > 0.0:
                return True
    return False


@compiled
def trade_waits(account: Account, positions: Positions) -> bool:
    """Whether a decision waits for its fill, or the rest of a trade is carried; a dropped decision does not wait."""
    if account.band_made >= 0 or account.carried > 0:
        return True
    return not positions.dropped[account.next_fill : account.next_decision].all()


@compiled
def movable_assets(t: int, prices: Prices) -> Flags:
    """Assets that can be traded on date t, (N,)."""
    movable: Flags = prices.marks[t] > 0.0
    if len(prices.tradable) > 0:
        movable &= prices.tradable[t]
    return movable
