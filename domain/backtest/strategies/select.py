"""Nested selection: the weights of the one of several strategies that was best in a past window.

What each candidate would have earned is known from accounts of their own, which are simulated along the same dates
before this strategy decides; `domain/backtest/selection` chooses by them and binds the choices to the strategy of a
run. The chosen candidate is then asked with the account as it is, so that its limits on turnover count from what is
held.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.backtest.strategies.history import MarketHistory
from domain.backtest.strategies.inside import check_inner, decide_inner, planned_inner
from domain.backtest.strategies.protocol import LookbackWindow, Strategy
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.errors import DomainError, InvalidInput
from domain.records import dataclass
from domain.warnings import ResultWarning

FEWEST_PERIODS = 2
"""Fewest returns of a window: a deviation needs two."""


class NoCandidate(DomainError):
    """Every candidate failed on the date of a selection; the holdings drift on."""

    REASON = "NO_CANDIDATE"


class SelectionScore(StrEnum):
    """A figure that the returns of a window determine; the value is its name in `Performance`."""

    SHARPE = "sharpe"
    SORTINO = "sortino"
    CALMAR = "calmar"
    CAGR = "cagr"
    TOTAL_RETURN = "total_return"
    VOLATILITY_ANNUAL = "volatility_annual"
    MAX_DRAWDOWN = "max_drawdown"
    VALUE_AT_RISK = "value_at_risk"
    CONDITIONAL_VALUE_AT_RISK = "conditional_value_at_risk"

    @property
    def higher_is_better(self) -> bool:
        """Its direction; losses are positive, so that lower is better."""
        return self not in _LOWER


_LOWER = frozenset(
    {
        SelectionScore.VOLATILITY_ANNUAL,
        SelectionScore.MAX_DRAWDOWN,
        SelectionScore.VALUE_AT_RISK,
        SelectionScore.CONDITIONAL_VALUE_AT_RISK,
    }
)


class BeforeSelection(StrEnum):
    """What is held before the first selection."""

    FIRST_CANDIDATE = "FIRST_CANDIDATE"
    EQUAL_PARTS = "EQUAL_PARTS"  # the mean of the weights of all candidates
    CASH = "CASH"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a selection chose: it holds until the next one."""

    day: int  # since 1970-01-01
    candidate: int | None  # that decides from this day on; None where it is as before the first selection
    score: float | None = None  # of a candidate that is chosen anew; None where the one before stays
    failure: str | None = None  # why no candidate could be chosen, so that the decision fails


@dataclass(frozen=True, slots=True)
class Select:
    """The weights of the candidate with the best score over the past `lookback_periods`.

    The window ends `purge_periods` before the decision. Selections are `reselect_every` decisions apart, the first at
    the first decision by which the window is full. Raises InvalidInput for fewer than two candidates, labels that are
    used twice, and numbers out of range.
    """

    candidates: tuple[Strategy, ...]
    lookback_periods: int
    score: SelectionScore = SelectionScore.SHARPE
    purge_periods: int = 0
    reselect_every: int = 1
    before: BeforeSelection = BeforeSelection.FIRST_CANDIDATE
    label: str = "select"
    kind: str = "select"
    choices: tuple[Choice, ...] = ()  # of a run, in the order of days

    def __post_init__(self) -> None:
        least = (("lookback_periods", FEWEST_PERIODS), ("purge_periods", 0), ("reselect_every", 1))
        for name, fewest in least:
            if getattr(self, name) < fewest:
                raise InvalidInput(name, f"must be {fewest} or more, is {getattr(self, name)}")
        if len(self.candidates) < 2:
            raise InvalidInput("candidates", f"must hold at least two strategies, holds {len(self.candidates)}")
        for label, count in Counter(one.label for one in self.candidates).items():
            if count > 1:
                raise InvalidInput("candidates", f"must have labels that differ; {label!r} is used {count} times")

    @property
    def window_periods(self) -> int:
        """Periods from the start of the account to the first selection: the window and what is left out after it."""
        return self.lookback_periods + self.purge_periods

    def path_of(self, i: int) -> str:
        """Field path of a candidate, from this strategy on."""
        return f"candidates[{i}].{self.candidates[i].kind}"

    def with_candidates(self, candidates: tuple[Strategy, ...]) -> "Select":
        """The same of other candidates."""
        return replace(self, candidates=candidates)

    def with_choices(self, choices: tuple[Choice, ...]) -> "Select":
        """The same for one run, with what its selections chose."""
        return replace(self, choices=choices)

    @property
    def lookback_window(self) -> LookbackWindow:
        """What all candidates need and see."""
        window = LookbackWindow()
        for i, candidate in enumerate(self.candidates):
            window = window.joined(candidate.lookback_window.under(self.path_of(i)))
        return window

    def own_dates(self) -> tuple[int, ...]:
        """Those of all candidates."""
        return tuple(sorted({day for one in self.candidates for day in one.own_dates()}))

    def check(
        self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled
    ) -> tuple[ResultWarning, ...]:
        """What the candidates say about their own specifications. Raises InvalidInput with the path of one."""
        found: list[ResultWarning] = []
        for i, candidate in enumerate(self.candidates):
            found += check_inner(candidate, self.path_of(i), history, check_cancelled)
        return tuple(found)

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """The weights of the candidate that is chosen on the last date of the history.

        Raises NoCandidate where all of them failed on it, and DomainError where the chosen one has no weights.
        """
        day = int(history.dates[-1])
        choice = self._choice_on(day)
        if choice is not None and choice.failure is not None and choice.day == day:
            raise NoCandidate(choice.failure)
        weights = np.zeros(len(history.symbols))
        deciding = self._deciding(choice)
        for i in deciding:
            weights += decide_inner(self.candidates[i], self.path_of(i), history, check_cancelled)
        return weights / len(deciding) if len(deciding) > 1 else weights

    def deciding_on(self, day: int) -> Iterator[Strategy]:
        """The candidates that are asked on a day."""
        return (self.candidates[i] for i in self._deciding(self._choice_on(day)))

    def planned(self, symbols: tuple[str, ...], dates: NDArray[np.int32], listed: NDArray[np.bool_] | None) -> None:
        """None: what it holds depends on prices. Raises InvalidInput where a candidate cannot plan its weights."""
        for i, candidate in enumerate(self.candidates):
            planned_inner(candidate, self.path_of(i), symbols, dates, listed)

    def _choice_on(self, day: int) -> Choice | None:
        """The latest choice on a day; None before the first selection."""
        place = bisect_right(self.choices, day, key=lambda choice: choice.day)
        return self.choices[place - 1] if place else None

    def _deciding(self, choice: Choice | None) -> tuple[int, ...]:
        if choice is not None and choice.candidate is not None:
            return (choice.candidate,)
        match self.before:
            case BeforeSelection.FIRST_CANDIDATE:
                return (0,)
            case BeforeSelection.EQUAL_PARTS:
                return tuple(range(len(self.candidates)))
            case BeforeSelection.CASH:
                return ()
