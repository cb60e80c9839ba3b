"""The accounts of candidates: each strategy that selects among others has a run of every one of them beside its own.

They come before all other runs of a backtest, so that what they earned is known when the first selection is made, and
progress, checkpoints and cancellation are theirs as of any run. Each is simulated once, however many selections look
at it.
"""

from collections.abc import Sequence
from dataclasses import replace

from domain.backtest.strategies import Select
from domain.backtest.strategy_run import StrategyRun
from domain.errors import InvalidInput
from domain.records import dataclass

MOST_CANDIDATES = 256
"""Candidates of one backtest, of all strategies together."""

MOST_RETURNS = 2_000_000_000
"""Returns of all windows of a strategy together, of all candidates: some seconds of work."""

MOST_SCORES = 200_000
"""Scores of all strategies together, each of which takes 0.06 ms and more: ten seconds in which nothing is told."""


@dataclass(frozen=True, slots=True)
class CandidateRun:
    """A candidate on the dates of the strategy that selects."""

    owner: int  # index of that strategy among strategies and benchmarks that are strategies
    candidate: int  # index among its candidates
    run: StrategyRun


def candidate_runs(runs: Sequence[tuple[str, StrategyRun]]) -> tuple[CandidateRun, ...]:
    """Those of strategies and benchmarks, which have their field paths, in their order.

    Raises InvalidInput for a window that is never full, for one whose scores are too much work, and for more than
    `MOST_CANDIDATES`.
    """
    found: list[CandidateRun] = []
    scores = 0
    for owner, (path, run) in enumerate(runs):
        if not isinstance(run.strategy, Select):
            continue
        scores += _scores(path, run.strategy, run)
        if scores > MOST_SCORES:
            rule = f"leaves more than {MOST_SCORES} scores of candidates in all; raise it, or give fewer candidates"
            raise InvalidInput(f"{path}.reselect_every", rule)
        for i, candidate in enumerate(run.strategy.candidates):
            named = replace(candidate, label=f"{run.strategy.label}: {candidate.label}")  # type: ignore[type-var]  # every strategy is a dataclass
            found.append(CandidateRun(owner, i, run.bound_to(named)))
        if len(found) > MOST_CANDIDATES:
            rule = f"must leave at most {MOST_CANDIDATES} candidates of all strategies together"
            raise InvalidInput(f"{path}.candidates", rule)
    return tuple(found)


def _scores(path: str, select: Select, run: StrategyRun) -> int:
    """How many scores a strategy needs.

    Raises InvalidInput for a window that no decision finds full, and for one that is looked at too often.
    """
    last = int(run.decisions[-1]) - run.start
    if select.window_periods > last:
        rule = (
            f"and purge_periods leave no selection: they are {select.window_periods} periods from the first decision "
            f"on, and the last decision is {last} periods after it; shorten them, or send more dates"
        )
        raise InvalidInput(f"{path}.lookback_periods", rule)
    ready = int((run.decisions - run.start >= select.window_periods).sum())
    selections = -(-ready // select.reselect_every)
    if selections * len(select.candidates) * select.lookback_periods > MOST_RETURNS:
        rule = (
            f"times {selections} selections and {len(select.candidates)} candidates is more than {MOST_RETURNS} "
            "returns to look at; raise reselect_every, or shorten it"
        )
        raise InvalidInput(f"{path}.lookback_periods", rule)
    return selections * len(select.candidates)
