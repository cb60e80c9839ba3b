"""The assets that strategies may hold, by date: the members of an index, say."""

from bisect import bisect_right
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel, civil_date
from domain.portfolio import positions
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class UniverseStep:
    """The members from one day on, until the next step."""

    day: int  # since 1970-01-01
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Universe:
    """Members by date: those of the latest step on or before it, which is all that is known on that date.

    Raises InvalidInput for no steps, steps that are not in order of their days, and a step without a symbol or with one
    that it names twice.
    """

    steps: tuple[UniverseStep, ...]

    def __post_init__(self) -> None:
        if not self.steps:
            raise InvalidInput("universe", "must have at least one step")
        for i, step in enumerate(self.steps):
            if i and step.day <= self.steps[i - 1].day:
                raise InvalidInput(f"universe[{i}].date", "must come after the date of the step before")
            if not step.symbols:
                raise InvalidInput(f"universe[{i}].symbols", "must name at least one symbol")
            seen: set[str] = set()
            for j, symbol in enumerate(step.symbols):
                if symbol in seen:
                    raise InvalidInput(f"universe[{i}].symbols[{j}]", f"{symbol} appears twice")
                seen.add(symbol)

    @property
    def days(self) -> tuple[int, ...]:
        """Days of the steps, increasing."""
        return tuple(step.day for step in self.steps)

    def step_at(self, day: int) -> int:
        """Index of the step that holds on a day; below 0 before the first."""
        return bisect_right(self.steps, day, key=attrgetter("day")) - 1

    def members(self, symbols: tuple[str, ...], dates: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which assets are members on each date, (T, N); none before the first step.

        Raises InvalidInput for a symbol that is none of `symbols`.
        """
        place = positions(symbols)
        for i, step in enumerate(self.steps):
            for j, symbol in enumerate(step.symbols):
                if symbol not in place:
                    raise InvalidInput(f"universe[{i}].symbols[{j}]", f"{symbol} is not a symbol of the input")
        found = np.zeros((len(dates), len(symbols)), np.bool_)
        starts = np.searchsorted(dates, self.days)
        for step, first, end in zip(self.steps, starts, [*starts[1:], len(dates)], strict=True):
            if first < end:
                found[first:end, [place[symbol] for symbol in step.symbols]] = True
        found.flags.writeable = False
        return found

    def first_index(self, panel: PricePanel) -> int:
        """Index of the first date with members. Raises InvalidInput where that is after the last one."""
        first = int(np.searchsorted(panel.dates, self.steps[0].day))
        if first >= len(panel.dates):
            raise InvalidInput("universe[0].date", "is after the last date of the input")
        return first

    def change_indices(self, panel: PricePanel) -> NDArray[np.int64]:
        """Indices of the dates on which steps take effect, increasing."""
        found = np.unique(np.searchsorted(panel.dates, self.days))
        result: NDArray[np.int64] = found[found < len(panel.dates)].astype(np.int64)
        return result

    def refuse_empty(self, members: NDArray[np.bool_], panel: PricePanel, decisions: NDArray[np.int64]) -> None:
        """Raises InvalidInput for a decision on whose date none of the members (T, N) has a price above 0."""
        empty = ~(members[decisions] & (panel.values[decisions] > 0.0)).any(axis=1)
        if empty.any():
            day = int(panel.dates[decisions[int(np.argmax(empty))]])
            raise InvalidInput(
                f"universe[{self.step_at(day)}].symbols",
                f"must hold an asset with a price on {civil_date(day)}, where a decision is made",
            )
