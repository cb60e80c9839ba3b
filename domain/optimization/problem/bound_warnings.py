"""Bounds that can never bind: what is probably meant otherwise, such as a cap of 60 where 60 % was meant.

By interval arithmetic over the budget, the bounds on single weights, shorts and gross exposure, in time linear in the
size of the request: what it finds never binds, but it does not find all. A bound at 0, at the budget, or exactly at
what the others allow is the usual way to say that there is none, and no warning.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    GroupBounds,
    Leverage,
    Linear,
    ReturnFloor,
    Turnover,
    WeightBounds,
)
from domain.records import dataclass
from domain.warnings import ResultWarning

CODE = "BOUND_NEVER_BINDS"

ROOM = 1e-9
"""How far beyond what is attainable a bound counts as beyond, relative to its size or to one."""

PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class _Attainable:
    """Intervals of the weights and what all of them together may be."""

    budget: float
    lower: Vector  # (N,)
    upper: Vector  # (N,)
    long: float  # the largest sum of positive weights
    short: float  # the largest sum of short positions

    def largest(self, coefficients: Vector) -> float:
        """A bound of coefficients . w from above."""
        rising, falling = max(float(coefficients.max()), 0.0), max(float(-coefficients.min()), 0.0)
        found = _product(rising, self.long) + _product(falling, self.short)
        # Whatever is taken off every coefficient, the budget pays it back.
        for taken in (0.0, float(coefficients.min()), float(coefficients.max())):
            left = coefficients - taken
            ends = np.where(left > 0.0, self.upper, np.where(left < 0.0, self.lower, 0.0))
            found = min(found, taken * self.budget + float(left @ ends))
        return found


def bound_warnings(problem: Problem) -> tuple[ResultWarning, ...]:
    """A warning for each bound of a problem that can never bind, given its other limits."""
    if not problem.constraints:
        return ()
    within = _attainable(problem, problem.constraints)
    found: list[ResultWarning] = []
    for i, constraint in enumerate(problem.constraints):
        path = f"constraints[{i}]"
        match constraint:
            case WeightBounds():
                found += _of_weights(problem, constraint, f"{path}.weight_bounds")
            case GroupBounds():
                members = np.isin(problem.moments.symbols, constraint.symbols)
                found += _of_sum(within, constraint, members.astype(np.float64), f"{path}.group_bounds")
            case Linear():
                terms = constraint.terms
                row = np.array([terms.get(symbol, 0.0) for symbol in problem.moments.symbols])
                found += _of_sum(within, constraint, row, path)
            case ReturnFloor(label, least):
                annual_returns = problem.periods_per_year * problem.moments.expected_returns
                low = -within.largest(-annual_returns)
                found += _if_beyond(label, f"{path}.return_floor.min_return_annual", "lower", least, low, within.budget)
            case Turnover():
                found += _of_trades(problem, within, constraint, f"{path}.turnover.max_turnover")
            case Leverage():
                found += _of_leverage(problem, constraint, f"{path}.leverage")
            case Cardinality(label, most, symbols):
                count = len(symbols or problem.moments.symbols)
                if most >= count:
                    text = f"{label}: max_assets {most} never binds: there are {count} assets"
                    found.append(ResultWarning(CODE, f"{path}.cardinality.max_assets", text))
    return tuple(found)


def _attainable(problem: Problem, constraints: tuple[Constraint, ...]) -> _Attainable:
    """What these constraints and the defaults allow each weight."""
    n_assets, budget, leverage = len(problem.moments.symbols), problem.budget, problem.leverage
    lower, upper = np.full(n_assets, -np.inf), np.full(n_assets, np.inf)
    for bounds in constraints:
        if not isinstance(bounds, WeightBounds):
            continue
        named = _named(problem, bounds)
        if bounds.lower is not None:
            lower[named] = np.maximum(lower[named], bounds.lower)
        if bounds.upper is not None:
            upper[named] = np.minimum(upper[named], bounds.upper)
    by_gross, by_shorts = np.inf, np.inf
    if leverage is not None and leverage.max_gross is not None:
        by_gross = max(0.0, 0.5 * (leverage.max_gross - budget))
    if leverage is not None and leverage.max_short is not None:
        by_shorts = leverage.max_short
    by_default = 0.0
    if leverage is not None and (leverage.max_short is not None or leverage.max_gross is not None):
        by_default = by_gross if leverage.max_short is None else leverage.max_short
    lower = np.where(np.isneginf(lower), -by_default, lower)
    total = min(by_gross, by_shorts, _shorts(lower))
    lower = np.maximum(lower, -total)
    return _tightened(_Attainable(budget, lower, upper, budget + total, total))


def _tightened(given: _Attainable) -> _Attainable:
    """The budget less the least of all others is the most of one, and the other way round."""
    most = np.minimum(np.minimum(given.upper, given.long), given.budget - _others(given.lower))
    least = np.maximum(given.lower, given.budget - _others(np.minimum(given.upper, given.long)))
    return _Attainable(given.budget, least, most, given.long, given.short)


def _others(values: Vector) -> Vector:
    """The sum of all but each, (N,)."""
    result: Vector = values.sum() - values
    return result


def _shorts(lower: Vector) -> float:
    return float(np.maximum(-lower, 0.0).sum())


def _named(problem: Problem, bounds: WeightBounds) -> NDArray[np.bool_]:
    symbols = problem.moments.symbols
    return np.isin(symbols, bounds.symbols) if bounds.symbols else np.ones(len(symbols), dtype=bool)


def _of_weights(problem: Problem, bounds: WeightBounds, path: str) -> Iterator[ResultWarning]:
    named = _named(problem, bounds)
    others = tuple(one for one in problem.constraints if one is not bounds)
    if bounds.upper is not None:
        only_lower = () if bounds.lower is None else (WeightBounds(bounds.label, bounds.lower, None, bounds.symbols),)
        most = float(_attainable(problem, (*others, *only_lower)).upper[named].max(initial=-np.inf))
        yield from _if_beyond(bounds.label, f"{path}.upper", "upper", bounds.upper, most, problem.budget)
    if bounds.lower is not None:
        # Without it a default would take its place: what it is set against are the others' upper bounds alone.
        within = _attainable(problem, problem.constraints)
        least = problem.budget - _others(within.upper)
        reached = float(np.maximum(least, -within.short)[named].min(initial=np.inf))
        yield from _if_beyond(bounds.label, f"{path}.lower", "lower", bounds.lower, reached, problem.budget)


def _of_sum(
    within: _Attainable, bounds: GroupBounds | Linear, coefficients: Vector, path: str
) -> Iterator[ResultWarning]:
    if bounds.upper is not None:
        most = within.largest(coefficients)
        yield from _if_beyond(bounds.label, f"{path}.upper", "upper", bounds.upper, most, within.budget)
    if bounds.lower is not None:
        least = -within.largest(-coefficients)
        yield from _if_beyond(bounds.label, f"{path}.lower", "lower", bounds.lower, least, within.budget)


def _of_trades(problem: Problem, within: _Attainable, limit: Turnover, path: str) -> Iterator[ResultWarning]:
    start = problem.start_weights
    each = float(np.maximum(within.upper - start, start - within.lower).sum())
    together = within.long + within.short + float(np.abs(start).sum())
    most = min(each, together) / limit.absolute_trades_per_unit
    yield from _if_beyond(limit.label, path, "upper", limit.max_turnover, most, np.nan)


def _of_leverage(problem: Problem, leverage: Leverage, path: str) -> Iterator[ResultWarning]:
    own = tuple(one for one in problem.constraints if isinstance(one, WeightBounds))
    given = np.full(len(problem.moments.symbols), -np.inf)
    for bounds in own:
        if bounds.lower is not None:
            named = _named(problem, bounds)
            given[named] = np.maximum(given[named], bounds.lower)
    by_bounds, budget = _shorts(given), problem.budget
    if leverage.max_short:
        by_gross = np.inf if leverage.max_gross is None else 0.5 * (leverage.max_gross - budget)
        most = min(by_bounds, by_gross)
        yield from _if_beyond(leverage.label, f"{path}.max_short", "upper", leverage.max_short, most, np.nan)
    if leverage.max_gross is not None:
        shorts = min(by_bounds, np.inf if leverage.max_short is None else leverage.max_short)
        most = budget + 2.0 * shorts
        yield from _if_beyond(leverage.label, f"{path}.max_gross", "upper", leverage.max_gross, most, np.nan)


def _if_beyond(
    label: str, path: str, side: str, bound: float, reached: float, budget: float
) -> Iterator[ResultWarning]:
    """A warning for a bound beyond what is reached, but for one at 0 or at the budget."""
    beyond = bound - reached if side == "upper" else reached - bound
    if not np.isfinite(reached) or bound in (0.0, budget) or beyond <= ROOM * max(1.0, abs(bound)):
        return
    extreme = "at most" if side == "upper" else "at least"
    text = f"{label}: {side} {bound:g} never binds: the other limits allow {extreme} {reached + 0.0:g}"
    if abs(bound) > 1.0:
        text += f"; weights are fractions, {bound / PERCENT:g} is {bound:g} %"
    yield ResultWarning(CODE, path, text)


def _product(first: float, second: float) -> float:
    return 0.0 if first == 0.0 else first * second
