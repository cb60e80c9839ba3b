"""Divides an excess return by factors: the exposures of what is held, or a regression; specific is what is left."""

from collections.abc import Sequence

import numpy as np

from domain.attribution.linking import Linked, compounded
from domain.cancellation import CancellationCheck
from domain.checks import Matrix, Vector, constant_columns, distinct_symbols, figures, unique_symbols
from domain.errors import InvalidInput
from domain.market_data.panel import Days, Panel, civil_date
from domain.records import dataclass

RANK = 1e-10
"""Singular values below this fraction of the largest are taken for 0: the columns depend on one another."""

SPECIFIC = "specific"
"""Name of what the factors leave."""


@dataclass(frozen=True, slots=True)
class FactorExposures:
    """Exposures of assets to factors. Raises InvalidInput, with paths as in the message."""

    factors: tuple[str, ...]
    symbols: tuple[str, ...]
    values: Matrix  # (N, K)
    returns: Panel | None = None  # of the factors; None to estimate them from the returns of the assets

    def __post_init__(self) -> None:
        _factor_names("factors", self.factors)
        distinct_symbols("symbols", self.symbols)
        count, wanted = self.values.size, len(self.symbols) * len(self.factors)
        if count != wanted:
            rule = (
                f"must have {len(self.symbols)} symbols x {len(self.factors)} factors = {wanted} entries, has {count}"
            )
            raise InvalidInput("values", rule)
        figures("values", self.values)
        object.__setattr__(self, "values", self.values.reshape(len(self.symbols), len(self.factors)))
        if self.returns is not None and set(self.returns.symbols) != set(self.factors):
            odd = sorted(set(self.returns.symbols) ^ set(self.factors))[0]
            raise InvalidInput("returns.symbols", f"must be the factors: {odd} is in one of the two alone")

    def of_assets(self, symbols: Sequence[str]) -> Matrix:
        """Exposures of assets in their order, (N, K). Raises InvalidInput for one that has none."""
        place = {symbol: i for i, symbol in enumerate(self.symbols)}
        missing = next((symbol for symbol in symbols if symbol not in place), None)
        if missing is not None:
            raise InvalidInput("symbols", f"must name every asset of the input: {missing} has no exposures")
        result: Matrix = self.values[[place[symbol] for symbol in symbols]]
        return result

    def returns_on(self, dates: Days) -> Matrix | None:
        """Returns of the factors on dates (T,), in the order of the factors, (T, K); None where they are not given."""
        if self.returns is None:
            return None
        order = [self.returns.symbols.index(factor) for factor in self.factors]
        return rows_on("returns", self.returns, dates)[:, order]


@dataclass(frozen=True, slots=True)
class FactorEffects:
    """Contributions of K factors, and of what they leave, in each of T periods."""

    exposures: Matrix  # (T, K), above those of the benchmark; (1, K) where they are the same in all periods
    factors: Matrix  # (T, K)
    specific: Vector  # (T,)
    r_squared: float | None = None


def exposure_effects(exposures: Matrix, factor_returns: Matrix, excess: Vector) -> FactorEffects:
    """By exposures (T, K) above those of the benchmark; `excess` (T,) is what assets contribute above the benchmark."""
    parts = exposures * factor_returns
    return FactorEffects(exposures, parts, excess - parts.sum(axis=1))


def regression_effects(factors: Panel, dates: Days, excess: Vector) -> FactorEffects:
    """By the slopes of excess returns (T,) on those of factors, with an intercept, which is left to specific.

    Raises InvalidInput for other dates, for too few of them, and for factors that depend on one another.
    """
    _factor_names("symbols", factors.symbols)
    values = rows_on("", factors, dates)
    periods, count = values.shape
    if periods < count + 2:
        rule = f"must hold at least {count + 2} dates for {count} factors and an intercept, there are {periods}"
        raise InvalidInput("dates", rule)
    flat = constant_columns(values)
    if flat.any():
        raise InvalidInput("symbols", f"{factors.symbols[int(np.argmax(flat))]} does not vary")
    centred = values - values.mean(axis=0)
    scale = np.abs(centred).max(axis=0)
    slopes, _, rank, _ = np.linalg.lstsq(centred / scale, excess - excess.mean(), rcond=RANK)
    if rank < count:
        raise InvalidInput("values", "must be of factors that do not depend on one another on these dates")
    slopes = slopes / scale
    specific = excess - values @ slopes
    variance = float(np.var(excess))
    explained = None if variance <= 0.0 else 1.0 - float(np.var(specific)) / variance
    return FactorEffects(slopes[None, :], values * slopes, specific, explained)


def estimated_factor_returns(
    exposures: Matrix, returns: Matrix, dates: Days, check_cancelled: CancellationCheck
) -> Matrix:
    """Returns of the factors, (T, K): the regression of asset returns (T, N) on exposures (N, K), period by period.

    Assets whose return is NaN are left out of a period. Raises InvalidInput where those left do not tell the factors
    apart.
    """
    known = ~np.isnan(returns)
    found = np.empty((len(returns), exposures.shape[1]))
    patterns, which = np.unique(np.packbits(known, axis=1), axis=0, return_inverse=True)
    for pattern in range(len(patterns)):
        check_cancelled()
        rows = np.flatnonzero(which.ravel() == pattern)
        chosen = known[rows[0]]
        inverse = _inverse_of(exposures[chosen])
        if inverse is None:
            rule = "must tell the factors apart among the assets that have a return on "
            raise InvalidInput("values", f"{rule}{civil_date(dates[rows[0]])}")
        found[rows] = returns[np.ix_(rows, chosen)] @ inverse.T
    return found


def linked_factors(effects: FactorEffects, others: Matrix, linked: Linked | None, benchmark_return: Vector) -> Vector:
    """Contributions of the factors, of specific and of other parts (T, S) over all periods, (K + 1 + S,).

    Without factors of linking they compound: they are over 1 + the return of the benchmark in each period.
    """
    parts = np.column_stack([effects.factors, effects.specific, others])
    if linked is not None:
        result: Vector = linked.factors @ parts
        return result
    scaled = parts / (1.0 + benchmark_return)[:, None]
    return compounded(scaled, scaled.sum(axis=1))


def rows_on(path: str, panel: Panel, dates: Days) -> Matrix:
    """Complete rows of a panel on dates (T,). Raises InvalidInput for a missing date or value."""
    prefix = f"{path}." if path else ""
    places = np.searchsorted(panel.dates, dates)
    there = places < len(panel.dates)
    there &= panel.dates[np.minimum(places, len(panel.dates) - 1)] == dates
    if not there.all():
        missing = civil_date(dates[int(np.argmin(there))])
        raise InvalidInput(f"{prefix}dates", f"must hold every date that is attributed: {missing} is missing")
    values: Matrix = panel.values[places]
    if np.isnan(values).any():
        t, j = (int(k) for k in np.argwhere(np.isnan(values))[0])
        place = int(places[t]) * len(panel.symbols) + j
        rule = f"must be a number, is NaN for {panel.symbols[j]} on {civil_date(dates[t])}"
        raise InvalidInput(f"{prefix}values[{place}]", rule)
    return values


def _factor_names(field: str, names: Sequence[str]) -> None:
    unique_symbols(field, names)
    if SPECIFIC in names:
        raise InvalidInput(f"{field}[{list(names).index(SPECIFIC)}]", "must not be the name of what the factors leave")


def _inverse_of(exposures: Matrix) -> Matrix | None:
    """The pseudoinverse (K, N) of exposures (N, K); None where their columns depend on one another."""
    if len(exposures) < exposures.shape[1]:
        return None
    left, sizes, right = np.linalg.svd(exposures, full_matrices=False)
    if not len(sizes) or sizes[-1] <= RANK * sizes[0]:
        return None
    inverse: Matrix = (right.T / sizes) @ left.T
    return inverse
