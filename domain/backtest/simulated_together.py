"""Simulates accounts of one plan that differ in proportional costs alone, in one call of compiled code."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.backtest.inputs import output_for
from domain.backtest.opening import opened_account
from domain.backtest.preparation import BacktestPlan
from domain.backtest.record import RecordPart
from domain.backtest.simulation.arrays import RUNNING, Costs
from domain.checks import Matrix
from domain.records import dataclass

MOST_TOGETHER = 16
"""Accounts whose net asset values, returns and what is made of them are in the processor's cache."""

PRICES_TOGETHER = 1 << 22
"""Prices, each counted for each account, that are simulated without a look at cancellation: tens of milliseconds."""

DATES_AT_ONCE = 256
"""Dates that each account goes through in its turn: their prices stay in the processor's cache for all accounts."""


@dataclass(frozen=True, slots=True)
class SimulatedTogether:
    """What was written of each of B accounts on K dates, with R fills."""

    navs: Matrix  # (B, K), the first of each is the value at the start
    turnovers: Matrix  # (B, R)
    cost_fractions: Matrix  # (B, R)
    accounts: NDArray[Any]  # (B,) of type ACCOUNT, at the end
    gains: Matrix  # (B, N)
    is_complete: NDArray[np.bool_]  # (B,), whether all that was planned was done, until the end of the data

    def records(self) -> list[RecordPart | None]:
        """Of each account, without its holdings; None for one that has to be simulated alone to say what happened."""
        bare = RecordPart.empty(self.gains.shape[1])
        return [
            RecordPart(
                nav=self.navs[k],
                flow_start=bare.flow_start,
                flow_end=bare.flow_end,
                indices=bare.indices,
                kinds=bare.kinds,
                units=bare.units,
                cash=bare.cash,
                cost_fractions=self.cost_fractions[k],
                turnovers=self.turnovers[k],
                events=bare.events,
                account=self.accounts[k : k + 1],
                gains=self.gains[k],
            )
            if is_complete
            else None
            for k, is_complete in enumerate(self.is_complete.tolist())
        ]


def most_together(plan: BacktestPlan) -> int:
    """How many accounts of a plan can be simulated together; 1 where there is more to do than planned fills."""
    if plan.candidates or plan.shifted_from > 1 or not plan.inputs[0].rules.is_quiet:
        return 1
    return max(1, min(MOST_TOGETHER, PRICES_TOGETHER // plan.market.panel.values.size))


def simulate_each(plan: BacktestPlan, costs: Sequence[Costs]) -> SimulatedTogether:
    """The accounts of a plan with each of the costs; `most_together` says how many."""
    from domain.backtest.simulation.compiled import as_records  # compiling takes seconds: only where it is run
    from domain.backtest.simulation.together import simulate_together

    market, specification, inputs, run = plan.market, plan.specification, plan.inputs[0], plan.strategy_runs[0]
    count, first, last = len(costs), run.start, len(market.panel.dates) - 1
    account, opened = opened_account(specification, market, first, len(run.decisions))
    nav = float(account["nav"][0])
    accounts = np.tile(account.view(np.int64), count).view(account.dtype)
    positions = opened._replace(
        units=np.tile(opened.units, (count, 1)),
        reference=np.tile(opened.reference, (count, 1)),
        gains=np.tile(opened.gains, (count, 1)),
        target=np.tile(opened.target, (count, 1)),
    )
    output = output_for(inputs, first, last)
    made, delay, rows = inputs.plan.made, inputs.rules.delay, len(output.row_cost)
    planned = int(made.searchsorted(last - delay, side="right") - made.searchsorted(first - delay))
    output = output._replace(
        nav=np.empty((count, len(output.nav))),
        row_cost=np.empty((count, rows)),
        row_turnover=np.empty((count, rows)),
        written=np.zeros((count, len(output.written)), np.int64),
    )
    ended = np.full((count, 2), RUNNING)
    simulate_together(
        first,
        last,
        DATES_AT_ONCE,
        inputs.prices.marks,
        np.stack([one.commission for one in costs]),
        np.stack([one.spread for one in costs]),
        inputs.plan,
        delay,
        inputs.rules.conventions,
        as_records(accounts),
        positions,
        output,
        ended,
    )
    with np.errstate(over="ignore", invalid="ignore"):  # beyond numbers: such an account is simulated alone
        gains = positions.gains + positions.units * (market.panel.values[-1] - positions.reference)
    fills, _, failures = output.written.T
    is_complete = (ended[:, 0] == RUNNING) & (failures == 0) & (fills == planned) & np.isfinite(gains).all(axis=1)
    output.nav[~is_complete] = nav  # what is not written holds anything, which is not to be computed with
    accounts["first_nav"] = output.nav[:, 0]
    output.nav[:, 0] = nav
    turnovers, cost_fractions = output.row_turnover[:, :planned], output.row_cost[:, :planned]
    return SimulatedTogether(output.nav, turnovers, cost_fractions, accounts, gains, is_complete)
