"""What a schedule is computed from."""

import numpy as np
from numpy.typing import NDArray

from domain.checks import EIGENVALUE_TOLERANCE, Matrix, Vector, figure, figures, freeze, square, symmetric
from domain.errors import InvalidInput
from domain.records import dataclass

MOST_PERIODS = 10_000

MOST_ENTRIES = 2_000_000
"""Periods x assets of a schedule: 16 MB, of which there are several copies."""

LEAST_IMPACT = 1e-30
"""Smallest temporary impact and length of a period, so that ratios of the other figures to them are numbers."""

MOST_CORRELATED = 1000
"""Assets of a correlation: its eigenvectors take about a second."""


@dataclass(frozen=True, slots=True)
class PriceModel:
    """How the prices of N assets move, by themselves and by what is traded; money is per unit of the asset.

    n units traded in a period of length tau are paid (or yield) epsilon + eta n / tau worse than the price before them,
    and move it by gamma n for good. By itself a price changes by a normal number of standard deviation
    volatility x sqrt(tau). Almgren and Chriss 2000, "Optimal execution of portfolio transactions", sections 1 and 5;
    eta, gamma and epsilon are diagonal: an asset moves only its own price.
    """

    temporary: Vector  # eta (N,), money per unit and unit per time
    permanent: Vector  # gamma (N,), money per unit and unit
    fixed: Vector  # epsilon (N,), money per unit, such as half the spread
    volatilities: Vector  # (N,), money per unit and square root of time
    correlation: Matrix | None = None  # (N, N); None is none

    def __post_init__(self) -> None:
        size = len(self.temporary)
        for name in ("temporary", "permanent", "fixed", "volatilities"):
            values = figures(name, getattr(self, name))
            if len(values) != size:
                raise InvalidInput(name, f"has {len(values)} entries but there are {size} assets")
            if (values < 0.0).any():
                place = int(np.argmax(values < 0.0))
                raise InvalidInput(f"{name}[{place}]", f"must be 0 or more, is {values[place]:g}")
            object.__setattr__(self, name, freeze(values))
        if self.correlation is not None:
            correlation = _correlation(self.correlation, size)
            object.__setattr__(self, "correlation", None if correlation is None else freeze(correlation))

    def of_assets(self, assets: NDArray[np.intp]) -> "PriceModel":
        """The same for some of the assets."""
        correlation = None if self.correlation is None else self.correlation[np.ix_(assets, assets)]
        return PriceModel(
            self.temporary[assets],
            self.permanent[assets],
            self.fixed[assets],
            self.volatilities[assets],
            correlation,
        )


@dataclass(frozen=True, slots=True)
class ExecutionProblem:
    """Units to be sold (N,), negative to buy, within a number of periods."""

    units: Vector  # (N,)
    prices: PriceModel
    risk_aversion: float  # lambda, per unit of money
    periods: int
    period_length: float = 1.0  # tau, in the unit of time of the prices
    largest_trades: Matrix | None = None  # (T, N), units in each period; infinite for no limit
    hedge: bool = False  # positions may be opened that nobody wants, where they reduce the risk

    def __post_init__(self) -> None:
        units = figures("units", self.units)
        size = len(units)
        if size != len(self.prices.temporary):
            raise InvalidInput("units", f"has {size} entries but the prices are of {len(self.prices.temporary)} assets")
        if not 1 <= self.periods <= MOST_PERIODS:
            raise InvalidInput("periods", f"must be from 1 to {MOST_PERIODS}, is {self.periods}")
        if self.periods * size > MOST_ENTRIES:
            raise InvalidInput("periods", f"times the number of assets must be at most {MOST_ENTRIES}")
        if figure("risk_aversion", self.risk_aversion) < 0.0:
            raise InvalidInput("risk_aversion", f"must be 0 or more, is {self.risk_aversion:g}")
        if figure("period_length", self.period_length) < LEAST_IMPACT:
            raise InvalidInput("period_length", f"must be above 0, is {self.period_length:g}")
        _check_impact(self.impact)
        object.__setattr__(self, "units", freeze(units))
        if self.largest_trades is not None:
            object.__setattr__(self, "largest_trades", freeze(self._limits(self.largest_trades)))

    @property
    def impact(self) -> Vector:
        """Diagonal of H, (N,): eta - gamma tau / 2."""
        result: Vector = self.prices.temporary - 0.5 * self.prices.permanent * self.period_length
        return result

    def _limits(self, largest: Matrix) -> Matrix:
        limits = np.asarray(largest, dtype=np.float64)
        if limits.shape != (self.periods, len(self.units)):
            raise InvalidInput("largest_trades", f"must be {self.periods} x {len(self.units)}, is {limits.shape}")
        if not (limits >= 0.0).all():
            raise InvalidInput("largest_trades", "must be 0 or more")
        return limits


def _check_impact(impact: Vector) -> None:
    if not (impact >= LEAST_IMPACT).all():
        place = int(np.argmin(impact))
        rule = "must be above half of permanent x period_length: otherwise trading all at once would cost nothing"
        raise InvalidInput(f"temporary[{place}]", rule)


def _correlation(values: Matrix, size: int) -> Matrix | None:
    """None where no two assets are correlated: then the assets have schedules of their own, at far less cost."""
    if size > MOST_CORRELATED:
        raise InvalidInput("correlation", f"must be of at most {MOST_CORRELATED} assets, is of {size}")
    matrix = symmetric("correlation", square("correlation", values, size))
    if size and np.abs(matrix.diagonal() - 1.0).max() > EIGENVALUE_TOLERANCE:
        place = int(np.abs(matrix.diagonal() - 1.0).argmax())
        raise InvalidInput(f"correlation[{place * size + place}]", "must be 1: it is of an asset with itself")
    if (matrix == np.eye(size)).all():
        return None
    try:
        np.linalg.cholesky(matrix + EIGENVALUE_TOLERANCE * size * np.eye(size))
    except np.linalg.LinAlgError:
        lowest = float(np.linalg.eigvalsh(matrix)[0])
        raise InvalidInput("correlation", f"must be positive semidefinite, has the eigenvalue {lowest:.3g}") from None
    return matrix
