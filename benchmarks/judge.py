"""What the timed answers are worth: objectives recomputed here from the weights, by one definition for every side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from direct import SCALE, Program, Session, clarabel_solver, min_variance_program
from market import Array, Market
from ours import cvar

Objective = Callable[[Array], float]
"""Lower is better."""


@dataclass(frozen=True)
class Judge:
    """An objective, by how much weights miss the limits of the job, and whether objectives are already relative."""

    objective: Objective
    violation: Callable[[Array], float]
    is_relative: bool = False

    def difference(self, ours: Array, theirs: Array) -> float:
        """Our objective less theirs, relative to theirs; below zero ours is better."""
        mine, other = self.objective(ours), self.objective(theirs)
        return mine - other if self.is_relative else (mine - other) / abs(other)


def judges(market: Market) -> Mapping[str, Judge]:
    """For each job but hierarchies, which have no objective."""

    def variance(weights: Array) -> float:
        return float(weights @ market.covariance @ weights)

    objectives: dict[str, Objective] = {
        "min_variance": variance,
        "max_ratio": lambda w: -float(market.means @ w) / variance(w) ** 0.5,
        "min_cvar": cvar(market),
        # Log-barrier form without units: ln volatility - mean ln w, least where contributions are equal.
        "risk_parity": lambda w: 0.5 * float(np.log(variance(w))) - float(np.log(w).mean()),
    }
    found = {job: Judge(objective, long_only_violation) for job, objective in objectives.items()}
    return found | {"frontier": Judge(FrontierExcess(market).worst, long_only_violation, is_relative=True)}


def long_only_violation(weights: Array) -> float:
    """By how much a weight is below zero or a sum is not one, of the worst portfolio where there are several."""
    return float(max(-weights.min(), np.abs(weights.sum(axis=-1) - 1.0).max(), 0.0)) + 0.0 + 0.0


def clipped(weights: Array) -> Array:
    """Within the limits that both sides were given: a weight of -1e-5 makes a ratio better than there is."""
    kept = np.maximum(weights, 0.0)
    return kept / kept.sum(axis=-1, keepdims=True)


class FrontierExcess:
    """How far portfolios are above the efficient frontier, by Clarabel, which no side answers with at this accuracy."""

    def __init__(self, market: Market) -> None:
        self._market, self._scaled = market, market.means / np.abs(market.means).max()
        least = min_variance_program(market)
        rows = np.vstack([least.rows, self._scaled])
        ends = np.append(least.row_lower, -10.0), np.append(least.row_upper, np.inf)
        self._program = Program(least.hessian, least.linear, rows, ends[0], ends[1], least.lower, least.upper)
        self._session: Session | None = None

    def worst(self, portfolios: Array) -> float:
        """The most by which a variance is above the least one at the same return, relative to that."""
        return max(self._excess(weights) for weights in portfolios)

    def _excess(self, weights: Array) -> float:
        floor = min(float(self._scaled @ weights), float(self._scaled.max()))
        variance = float(weights @ self._market.covariance @ weights)
        if floor >= self._scaled.max() - 1e-9:
            best = self._market.covariance[self._scaled.argmax(), self._scaled.argmax()]
            return variance / float(best) - 1.0
        if self._session is None:
            self._session = clarabel_solver(self._program, 1e-11)()
        least = clipped(self._session(np.array([1.0, floor])))
        return variance / float(least @ self._market.covariance @ least) - 1.0


def scaled_variance(market: Market) -> Objective:
    """The objective of the constrained jobs."""
    return lambda weights: SCALE * float(weights @ market.covariance @ weights)
