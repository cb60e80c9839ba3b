"""Tables of dates by symbols: prices and simple returns."""

import math
from collections.abc import Sequence
from dataclasses import field
from datetime import date, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.calendar import EPOCH, day_numbers, usual_step
from domain.checks import Matrix, constant_columns, finite, freeze, unique_symbols
from domain.errors import InvalidInput
from domain.records import dataclass

Days = NDArray[np.int32]
"""Civil dates as days since 1970-01-01, (T,)."""


def civil_date(days: int) -> date:
    """The date that lies `days` days after 1970-01-01."""
    return EPOCH + timedelta(days=int(days))


@dataclass(frozen=True, slots=True)
class Panel:
    """T dates by N symbols; NaN means missing. Dates strictly increase. Use `PricePanel` or `ReturnPanel`."""

    symbols: tuple[str, ...]
    dates: Days  # (T,)
    values: Matrix  # (T, N)
    least: float = field(init=False, repr=False, compare=False)  # of the values; NaN where one is missing

    def __post_init__(self) -> None:
        unique_symbols("symbols", self.symbols)
        rows, columns = len(self.dates), len(self.symbols)
        if rows == 0:
            raise InvalidInput("dates", "must hold at least one date")
        if self.values.shape != (rows, columns):
            raise InvalidInput(
                "values",
                f"must have {rows} dates x {columns} symbols = {rows * columns} entries, has {self.values.size}",
            )
        day_numbers("dates", self.dates)
        steps = self.dates[1:] - self.dates[:-1]
        if (steps <= 0).any():
            i = int(np.argmax(steps <= 0)) + 1
            word = "appears twice" if steps[i - 1] == 0 else "comes before its predecessor"
            raise InvalidInput(f"dates[{i}]", f"must increase strictly, but {civil_date(self.dates[i])} {word}")
        object.__setattr__(self, "least", float(self.values.min()))
        # Of complete values the extremes say enough: a table of flags would be as large again.
        is_finite = math.isfinite(self.least) and math.isfinite(self.values.max())
        if not is_finite and np.isinf(self.values).any():
            i, j = (int(k) for k in np.argwhere(np.isinf(self.values))[0])
            raise InvalidInput(
                f"values[{i * columns + j}]",
                f"must be finite, is infinite for {self.symbols[j]} on {civil_date(self.dates[i])}",
            )

    def column(self, symbol: str) -> NDArray[np.float64]:
        """The values of one symbol, (T,)."""
        result: NDArray[np.float64] = self.values[:, self.symbols.index(symbol)]
        return result

    def days_from(self, start: int | None) -> int:
        """Days from a start to the last date; without one, from the usual step before the first date."""
        if start is None:
            start = int(self.dates[0]) - self.usual_step
        return int(self.dates[-1]) - start

    @property
    def usual_step(self) -> int:
        """Median number of days between dates, 1 for a single date."""
        return usual_step(self.dates)


def _arrays(symbols: Sequence[str], dates: ArrayLike, values: ArrayLike) -> tuple[tuple[str, ...], Days, Matrix]:
    days = day_numbers("dates", dates)
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 1 and array.size == len(days) * len(symbols):
        array = array.reshape(len(days), len(symbols))
    return tuple(symbols), days, freeze(array)


def _after(happened: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Dates after the first one on which something happened to each symbol, (T, N)."""
    before: NDArray[np.bool_] = np.zeros_like(happened)
    before[1:] = np.maximum.accumulate(happened, axis=0)[:-1]
    return before


class PricePanel(Panel):
    """Prices above zero, NaN where missing; 0 where an asset has become worthless, and then only 0 or missing."""

    __slots__ = ()

    @classmethod
    def of(cls, symbols: Sequence[str], dates: ArrayLike, values: ArrayLike) -> "PricePanel":
        """A checked panel; `values` is (T, N) or its row-major entries. Raises InvalidInput."""
        panel = cls(*_arrays(symbols, dates, values))
        if not panel.least > 0.0 and (panel.values <= 0).any():
            panel._check_worthless()
        return panel

    def above_zero(self) -> "PricePanel":
        """The panel. Raises InvalidInput for a price of 0, where nothing can be worthless."""
        self._refuse(self.values == 0.0, "must be above 0")
        return self

    def returns(self) -> "ReturnPanel":
        """Simple returns from each date to the next, (T-1, N), dated at their end.

        Raises InvalidInput with fewer than two dates. A missing price makes both its returns missing; from a price of
        0 there is none.
        """
        if len(self.dates) < 2:
            raise InvalidInput("dates", "must hold at least two dates for a return")
        before, after = self.values[:-1], self.values[1:]
        with np.errstate(over="ignore"):  # ReturnPanel rejects infinity
            changes = after / np.where(before > 0.0, before, np.nan) - 1.0
        return ReturnPanel(self.symbols, self.dates[1:], freeze(changes))

    def without_worthless(self) -> "PricePanel":
        """Prices that returns can be taken from: missing after the first price of 0 of an asset."""
        return self._after_zero(np.nan)

    def with_worthless(self) -> "PricePanel":
        """Prices with 0 from the first price of 0 of an asset on."""
        return self._after_zero(0.0)

    def _after_zero(self, value: float) -> "PricePanel":
        worthless = self.values == 0.0
        if not worthless.any():
            return self
        return PricePanel(self.symbols, self.dates, freeze(np.where(_after(worthless), value, self.values)))

    def _check_worthless(self) -> None:
        self._refuse(self.values < 0.0, "must be above 0, or 0 where an asset has become worthless")
        zero, positive = self.values == 0.0, self.values > 0.0
        positive_later = np.maximum.accumulate(positive[::-1], axis=0)[::-1]
        self._refuse(zero & positive_later, "can be 0 only where all that follows is 0 or missing")
        positive_before = np.maximum.accumulate(positive, axis=0)
        self._refuse(zero & ~positive_before, "can be 0 only after one above 0")

    def _refuse(self, wrong: NDArray[np.bool_], rule: str) -> None:
        if wrong.any():
            i, j = (int(k) for k in np.argwhere(wrong)[0])
            raise InvalidInput(
                f"values[{i * len(self.symbols) + j}]",
                f"a price {rule}, is {self.values[i, j]:g} for {self.symbols[j]} on {civil_date(self.dates[i])}",
            )


class ReturnPanel(Panel):
    """Simple returns per period, -1 or more, or NaN where missing."""

    __slots__ = ()

    @classmethod
    def of(cls, symbols: Sequence[str], dates: ArrayLike, values: ArrayLike) -> "ReturnPanel":
        """A checked panel; `values` is (T, N) or its row-major entries. Raises InvalidInput."""
        panel = cls(*_arrays(symbols, dates, values))
        if (panel.values < -1.0).any():
            i, j = (int(k) for k in np.argwhere(panel.values < -1.0)[0])
            raise InvalidInput(
                f"values[{i * len(panel.symbols) + j}]",
                f"a simple return must be -1 or more, is {panel.values[i, j]:g} for {panel.symbols[j]} "
                f"on {civil_date(panel.dates[i])}",
            )
        return panel

    def with_worthless(self) -> "ReturnPanel":
        """Returns that can be compounded: 0 after the first return of -1 of an asset, for nothing is left."""
        worthless = self.values <= -1.0
        if not worthless.any():
            return self
        return ReturnPanel(self.symbols, self.dates, freeze(np.where(_after(worthless), 0.0, self.values)))


@dataclass(frozen=True, slots=True)
class Scenarios:
    """S equally or unequally likely outcomes of one period's simple returns for N assets."""

    symbols: tuple[str, ...]
    values: Matrix  # (S, N)
    probabilities: NDArray[np.float64]  # (S,), sum to 1
    are_observations: bool = False  # in time, of an unknown distribution; not all outcomes of a known one

    def __post_init__(self) -> None:
        unique_symbols("symbols", self.symbols)
        if self.values.ndim != 2 or self.values.shape[1] != len(self.symbols) or self.values.shape[0] == 0:
            raise InvalidInput("values", f"must have a whole number of rows of {len(self.symbols)} entries")
        finite("values", self.values)
        if len(self.probabilities) != len(self.values):
            raise InvalidInput(
                "probabilities", f"has {len(self.probabilities)} entries but there are {len(self.values)} scenarios"
            )
        if (finite("probabilities", self.probabilities) < 0).any():
            raise InvalidInput("probabilities", "must be 0 or more")
        if abs(float(self.probabilities.sum()) - 1.0) > 1e-9:
            raise InvalidInput("probabilities", f"must sum to 1, sum to {float(self.probabilities.sum()):g}")

    @classmethod
    def of(cls, symbols: Sequence[str], values: ArrayLike, probabilities: ArrayLike | None = None) -> "Scenarios":
        """Checked scenarios; without probabilities all are equally likely. Raises InvalidInput."""
        names = unique_symbols("symbols", symbols)
        array = np.asarray(values, dtype=np.float64)
        if array.ndim == 1 and array.size % len(names) == 0:
            array = array.reshape(-1, len(names))
        count = len(array) if array.ndim == 2 else 0
        filled = np.full(count, 1.0 / max(count, 1)) if probabilities is None else np.asarray(probabilities, float)
        return cls(names, freeze(array), freeze(filled))

    @property
    def possible(self) -> "Scenarios":
        """Those that can happen at all."""
        chosen = self.probabilities > 0.0
        if chosen.all():
            return self
        return Scenarios(self.symbols, self.values[chosen], self.probabilities[chosen], self.are_observations)

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which assets' returns vary by no more than rounding over all outcomes that can happen, (N,)."""
        return constant_columns(self.values[self.probabilities > 0.0])

    @property
    def without_rounding(self) -> "Scenarios":
        """The same with one return for each asset that is constant but for rounding, as cash in prices is.

        Measures of the spread would take the rounding for a risk.
        """
        possible = self.probabilities > 0.0
        constant = self.constant
        if not constant.any() or not np.ptp(self.values[possible][:, constant], axis=0).any():
            return self
        values = self.values.copy()
        values[np.ix_(possible, constant)] = np.median(values[possible][:, constant], axis=0)
        return Scenarios(self.symbols, freeze(values), self.probabilities, self.are_observations)

    @classmethod
    def from_returns(cls, panel: ReturnPanel) -> "Scenarios":
        """Each date of a complete panel as one equally likely scenario, in their order."""
        count = len(panel.values)
        return cls(panel.symbols, panel.values, freeze(np.full(count, 1.0 / count)), are_observations=True)
