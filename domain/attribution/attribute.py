"""Attribution for weights and returns that a caller has."""

from collections.abc import Sequence

import numpy as np

from domain.attribution.brinson import Effects, GroupPath, effects_of
from domain.attribution.linking import Linked, total_return
from domain.attribution.segments import SegmentSums, geometric_effects
from domain.attribution.settings import AttributionSettings, Linking
from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.market_data.panel import Days, Panel, civil_date
from domain.records import dataclass

SUMS_TO_ONE = 1e-12
"""Weights whose sum is nearer to 1 leave no cash."""

CASH, UNINVESTED = "cash", "uninvested"
"""Names of what weights are short of 1; the second where a segment has the first."""

TABLES = ("portfolio_weights", "benchmark_weights", "portfolio_returns", "benchmark_returns")
"""The four tables, by their names in a request."""


@dataclass(frozen=True, slots=True)
class AttributedWeights:
    """Weights and returns of T periods and G segments, with cash where weights leave some."""

    segments: tuple[str, ...]
    dates: Days  # (T,)
    portfolio: GroupPath
    benchmark: GroupPath
    assets: int  # number of segments without the cash that weights leave

    @property
    def portfolio_return(self) -> Vector:
        """Return of the portfolio in each period, (T,)."""
        result: Vector = self.portfolio.contributions.sum(axis=1)
        return result

    @property
    def benchmark_return(self) -> Vector:
        """Return of the benchmark in each period, (T,)."""
        result: Vector = self.benchmark.contributions.sum(axis=1)
        return result


@dataclass(frozen=True, slots=True)
class Attribution:
    """The excess return by segment and period; effects of periods are not linked yet."""

    segments: tuple[str, ...]
    dates: Days  # (T,)
    periods: Effects  # (T, G)
    groups: Effects  # (G,)
    totals: Effects  # (1,)
    linked: Linked | None  # None for geometric linking
    portfolio_return: float
    benchmark_return: float
    excess_return: float  # arithmetic, or geometric with geometric linking


def attribute(weights: AttributedWeights, settings: AttributionSettings) -> Attribution:
    """Divides the excess return. Raises InvalidInput where a total return of a period is -1 or less."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # beyond numbers: refused at the end
        return _attribute(weights, settings)


def _attribute(weights: AttributedWeights, settings: AttributionSettings) -> Attribution:
    portfolio_return, benchmark_return = weights.portfolio_return, weights.benchmark_return
    refuse_lost_totals(weights.dates, portfolio_return, "portfolio_returns", "the portfolio")
    refuse_lost_totals(weights.dates, benchmark_return, "benchmark_returns", "the benchmark")
    effects = effects_of(weights.portfolio, weights.benchmark, benchmark_return, settings)
    none = np.zeros((len(weights.dates), 0))
    if settings.linking is Linking.GEOMETRIC:
        _refuse_lost_allocation(weights.dates, effects, benchmark_return)
        effects, none = geometric_effects(effects, none, benchmark_return)
    sums = SegmentSums(settings.linking, portfolio_return, benchmark_return)
    sums.add(0, effects, none)
    whole = sums.result()
    if not np.isfinite(whole.excess_return) or not np.isfinite(whole.contributions).all():
        raise InvalidInput("portfolio_returns", "compound to more than a number can hold")
    return Attribution(
        segments=weights.segments,
        dates=weights.dates,
        periods=effects,
        groups=whole.effects,
        totals=whole.totals,
        linked=whole.linked,
        portfolio_return=total_return(portfolio_return),
        benchmark_return=total_return(benchmark_return),
        excess_return=whole.excess_return,
    )


def attributed_weights(tables: Sequence[Panel]) -> AttributedWeights:
    """The four tables in the order of `TABLES`, checked. Raises InvalidInput with the name of the table.

    They have the same dates and segments; a weight is a number, and a return one where there is a weight.
    """
    first = tables[0]
    arrays = [_as_first(name, first, table) for name, table in zip(TABLES, tables, strict=True)]
    for name, table, values in zip(TABLES[:2], tables[:2], arrays[:2], strict=True):
        _refuse_gap(name, table, values, np.isnan(values), "must be a number: 0 for none")
    for side, (weights, returns) in enumerate(zip(arrays[:2], arrays[2:], strict=True)):
        missing = np.isnan(returns) & (weights != 0.0)
        _refuse_gap(TABLES[side + 2], first, returns, missing, f"must be a number where {TABLES[side]} has a weight")
    segments, (weights_p, weights_b), (returns_p, returns_b) = _with_cash(first.symbols, arrays)
    portfolio = GroupPath.of_returns(weights_p, returns_p)
    benchmark = GroupPath.of_returns(weights_b, returns_b)
    return AttributedWeights(segments, first.dates, portfolio, benchmark, len(first.symbols))


def refuse_lost_totals(dates: Days, returns: Vector, field: str, whose: str) -> None:
    """Raises InvalidInput for a total return (T,) of -1 or less: nothing is left that later periods could link to."""
    lost = ~(returns > -1.0)
    if lost.any():
        t = int(np.argmax(lost))
        rule = f"must leave {whose} more than nothing in every period: its return on {civil_date(dates[t])} is "
        raise InvalidInput(field, f"{rule}{returns[t]:g}")


def _refuse_lost_allocation(dates: Days, effects: Effects, benchmark_return: Vector) -> None:
    """Raises InvalidInput where the benchmark with the weights of the portfolio loses everything."""
    between = benchmark_return + effects.allocation.sum(axis=1)
    if (between <= -1.0).any():
        t = int(np.argmax(between <= -1.0))
        rule = "must be another one than GEOMETRIC: the segments of the benchmark with the weights of the portfolio "
        raise InvalidInput("linking", f"{rule}return {between[t]:g} on {civil_date(dates[t])}")


def _as_first(name: str, first: Panel, table: Panel) -> Matrix:
    """Values of a table (T, G) in the order of the columns of the first one."""
    if not np.array_equal(table.dates, first.dates):
        raise InvalidInput(f"{name}.dates", f"must be those of {TABLES[0]}")
    if table.symbols == first.symbols:
        return table.values
    if set(table.symbols) != set(first.symbols):
        odd = sorted(set(table.symbols) ^ set(first.symbols))[0]
        raise InvalidInput(f"{name}.symbols", f"must be the segments of {TABLES[0]}: {odd} is in one of the two alone")
    places = {symbol: place for place, symbol in enumerate(table.symbols)}
    order = [places[symbol] for symbol in first.symbols]
    values: Matrix = table.values[:, order]
    return values


def _refuse_gap(name: str, table: Panel, values: Matrix, gap: Matrix, rule: str) -> None:
    if gap.any():
        t, j = (int(k) for k in np.argwhere(gap)[0])
        place = f"{name}.values[{t * values.shape[1] + j}]"
        raise InvalidInput(place, f"{rule}, is NaN for {table.symbols[j]} on {civil_date(table.dates[t])}")


def _with_cash(
    segments: tuple[str, ...], arrays: Sequence[Matrix]
) -> tuple[tuple[str, ...], tuple[Matrix, Matrix], tuple[Matrix, Matrix]]:
    """Segments, weights and returns (T, G or G + 1) of both sides, with what the weights are short of 1."""
    weights_p, weights_b, returns_p, returns_b = arrays
    rests = [1.0 - weights.sum(axis=1) for weights in (weights_p, weights_b)]
    if max(float(np.abs(rest).max()) for rest in rests) <= SUMS_TO_ONE:
        return segments, (weights_p, weights_b), (returns_p, returns_b)
    name = CASH if CASH not in segments else UNINVESTED
    if name in segments:
        raise InvalidInput(
            "portfolio_weights.symbols", f"must not be both {CASH} and {UNINVESTED} where weights do not sum to 1"
        )
    both = tuple(np.column_stack([w, rest]) for w, rest in zip((weights_p, weights_b), rests, strict=True))
    zero = np.zeros(len(weights_p))
    returns = (np.column_stack([returns_p, zero]), np.column_stack([returns_b, zero]))
    return (*segments, name), (both[0], both[1]), returns
