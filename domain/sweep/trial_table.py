"""Returns of trials on the dates that all of them have, as cross-validation reads them."""

from collections.abc import Mapping

import numpy as np

from domain.records import dataclass
from domain.risk.figure import Absent
from domain.sweep.return_scores import ReturnTable
from domain.sweep.statistics import (
    FEW_DATES,
    FEW_TRIALS,
    TrialReturns,
    at_days,
    common_benchmark,
    common_days,
    is_usable,
)

NOT_KEPT = "the trials ran on a server of an earlier version, which kept too little of their returns: sweep again"
OTHER_YEARS = "the trials have different numbers of periods per year, or different minimum acceptable returns"


@dataclass(frozen=True, slots=True)
class TrialTable:
    """Returns of N trials, by their places in the sweep."""

    trials: tuple[int, ...]  # (N,)
    returns: ReturnTable


def trial_table(returns: Mapping[int, TrialReturns]) -> TrialTable | Absent:
    """The trials whose returns are numbers, those that do not vary among them; absent where they cannot be compared."""
    usable = {trial: one for trial, one in sorted(returns.items()) if is_usable(one.excess)}
    trials = list(usable.values())
    if len(trials) < 2:
        return Absent(FEW_TRIALS)
    if any(one.riskless is None for one in trials):
        return Absent(NOT_KEPT)
    if len({(one.periods_per_year, one.acceptable) for one in trials}) > 1:
        return Absent(OTHER_YEARS)
    days = common_days(trials)
    if len(days) < 2:
        return Absent(FEW_DATES)
    excess = np.stack([at_days(days, one.days, one.excess) for one in trials])
    riskless = [at_days(days, one.days, one.riskless) for one in trials if one.riskless is not None]
    benchmark, _ = common_benchmark(days, trials)
    active = None if benchmark is None else excess - benchmark.values[:, 0]
    table = ReturnTable(excess + np.stack(riskless), excess, active, trials[0].periods_per_year, trials[0].acceptable)
    return TrialTable(tuple(usable), table)
