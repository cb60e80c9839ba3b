"""What nested selections choose, from the accounts of their candidates, and what became of the choices.

A choice depends on nothing but the net asset values of the candidates up to the close of its date. A run that is
continued makes all of them again, with the same numbers.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.backtest.metrics import Curve, MetricSettings, figure_of_returns
from domain.backtest.record import FailedRebalance, RecordPart
from domain.backtest.strategies import Select
from domain.backtest.strategies.overlays import FLOOR_BROKEN
from domain.backtest.strategies.select import Choice
from domain.backtest.strategy_run import StrategyRun
from domain.cancellation import CancellationCheck
from domain.checks import Vector
from domain.records import dataclass
from domain.risk.figure import Absent, Figure, finite, known, quotient

USED_UP = "the net asset value is used up"
ENDED_EARLY = "the account of the candidate ended early"
NO_SCORE = "no candidate has a score"
NOT_CHOSEN = "no candidate was chosen"
NOTHING_FOLLOWS = "no date follows"
TOO_FEW = "needs a selection that has both scores"
ONE_SCORE = "needs two selections that have both scores, with scores over their past windows that differ"

SAME = 1e-12
"""Scores that differ by less than this, as a fraction of their size, are equal but for rounding."""


@dataclass(frozen=True, slots=True)
class CandidateAccount:
    """The account of a candidate, from the first decision on."""

    label: str
    unit_values: Vector  # (K,); fewer than all dates where its simulation ended early
    failed: dict[int, str]  # day of a rebalancing that failed -> why

    @classmethod
    def of(cls, label: str, parts: Sequence[RecordPart]) -> "CandidateAccount":
        """From the record of its simulation."""
        record = RecordPart.joined(list(parts))
        return cls(label, record.unit_values, {one.day: one.message for one in record.failures if _is_failure(one)})

    def failure_on(self, index: int, day: int) -> str | None:
        """Why it cannot be chosen on a date; None where it can."""
        if day in self.failed:
            return self.failed[day]
        if index >= len(self.unit_values):  # its last failure says why
            return self.failed[max(self.failed)] if self.failed else ENDED_EARLY
        return None if self.unit_values[index] > 0.0 else USED_UP


def _is_failure(told: FailedRebalance) -> bool:
    """Whether a decision was not made: a warning is told likewise."""
    return told.reason != FLOOR_BROKEN


@dataclass(frozen=True, slots=True)
class Followed:
    """A choice, and what the account made of it until the next one."""

    day: int  # since 1970-01-01
    candidate: str | None  # label; None where none was chosen
    in_sample: Figure
    out_of_sample: Figure
    lost: bool  # whether the account is worth less at the end of what followed


@dataclass(frozen=True, slots=True)
class Selection:
    """All choices of a strategy, and how the figure that they were made by fell off."""

    choices: tuple[Followed, ...]
    chosen: tuple[tuple[str, int], ...]  # label of every candidate, and how often it was chosen
    in_sample_mean: Figure
    out_of_sample_mean: Figure
    degradation_slope: Figure
    loss_share: Figure
    compared: int  # choices that have both scores


def choose(
    select: Select,
    run: StrategyRun,
    days: NDArray[np.int32],
    accounts: Sequence[CandidateAccount],
    settings: MetricSettings,
    check_cancelled: CancellationCheck,
) -> tuple[Choice, ...]:
    """What is chosen at each selection; `days` (K,) and `settings` are those of the accounts."""
    since_start = run.decisions - run.start
    found: list[Choice] = []
    current: int | None = None
    for index in since_start[since_start >= select.window_periods][:: select.reselect_every].tolist():
        check_cancelled()
        day = int(days[index])
        failures = [account.failure_on(index, day) for account in accounts]
        scores = {
            i: score
            for i, failure in enumerate(failures)
            if failure is None and (score := known(_past_score(select, accounts[i], index, days, settings))) is not None
        }
        if scores:
            # Of equal ones max and min take the first.
            current = (max if select.score.higher_is_better else min)(scores, key=scores.__getitem__)
            found.append(Choice(day, current, scores[current]))
        elif all(failures):
            message = f"all {len(accounts)} candidates failed, the first of them: {accounts[0].label}: {failures[0]}"
            found.append(Choice(day, current, None, message))
        else:
            found.append(Choice(day, current))
    return tuple(found)


def _past_score(
    select: Select, account: CandidateAccount, index: int, days: NDArray[np.int32], settings: MetricSettings
) -> Figure:
    """The score of an account over the window that a selection on date number `index` looks at."""
    last = index - select.purge_periods
    return _score(select, account.unit_values, days, last - select.lookback_periods, last, settings)


def _score(
    select: Select, values: Vector, days: NDArray[np.int32], first: int, last: int, settings: MetricSettings
) -> Figure:
    """The figure of unit values (K,) from the close of one date to that of another."""
    window = slice(first, last + 1)
    if settings.cash_returns is not None:
        settings = replace(settings, cash_returns=settings.cash_returns[window])
    return figure_of_returns(Curve(days[window], values[window]), settings, select.score.value)


def followed_choices(select: Select, curve: Curve, settings: MetricSettings) -> Selection:
    """The choices of a run with what its account, whose unit values are the curve, made of them."""
    starts = [int(place) for place in np.searchsorted(curve.days, [one.day for one in select.choices])]
    ends = [*starts[1:], len(curve.days) - 1]
    followed = tuple(
        _followed(select, choice, curve, first, last, settings)
        for choice, first, last in zip(select.choices, starts, ends, strict=True)
    )
    labels = [one.candidate for one in followed]
    chosen = tuple((one.label, labels.count(one.label)) for one in select.candidates)
    compared = [
        (known(one.in_sample), known(one.out_of_sample), one.lost)
        for one in followed
        if not isinstance(one.in_sample, Absent) and not isinstance(one.out_of_sample, Absent)
    ]
    if not compared:
        few = Absent(TOO_FEW)
        return Selection(followed, chosen, few, few, few, few, 0)
    inside, outside, lost = np.array(compared, dtype=np.float64).T
    return Selection(
        followed,
        chosen,
        in_sample_mean=finite(float(inside.mean())),
        out_of_sample_mean=finite(float(outside.mean())),
        degradation_slope=_slope(inside, outside),
        loss_share=float(lost.mean()),
        compared=len(compared),
    )


def _followed(
    select: Select, choice: Choice, curve: Curve, first: int, last: int, settings: MetricSettings
) -> Followed:
    if choice.score is None or choice.candidate is None:
        why = Absent(choice.failure or NO_SCORE)
        return Followed(choice.day, None, why, Absent(NOT_CHOSEN), lost=False)
    label = select.candidates[choice.candidate].label
    if curve.nav[first] <= 0.0:
        return Followed(choice.day, label, choice.score, Absent(USED_UP), lost=False)
    if first == last:
        return Followed(choice.day, label, choice.score, Absent(NOTHING_FOLLOWS), lost=False)
    outside = _score(select, curve.nav, curve.days, first, last, settings)
    return Followed(choice.day, label, choice.score, outside, lost=bool(curve.nav[last] < curve.nav[first]))


def _slope(inside: Vector, outside: Vector) -> Figure:
    """Of a regression by least squares of one score on the other."""
    distance = inside - inside.mean()
    if len(inside) < 2 or not float(np.abs(distance).max()) > SAME * float(np.abs(inside).max()):
        return Absent(ONE_SCORE)
    with np.errstate(over="ignore", invalid="ignore"):
        above, below = float(distance @ outside), float(distance @ distance)
    return quotient(finite(above), finite(below), ONE_SCORE)
