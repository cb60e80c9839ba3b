"""Which factors explain an asset: regressions that take in or drop one factor at a time.

Forward, the factor joins that leaves least unexplained; backward, the one leaves that is missed least (Efroymson
1960). By p-value, of two-sided t tests, a factor joins while every coefficient of the larger regression is significant,
and leaves while one is not. By a criterion, each step must improve it: T ln(SSR / T) + 2k (Akaike 1974), T ln(SSR / T)
+ k ln T (Schwarz 1978), 1 - SSR (T - 1) / (SST (T - k)) (Theil 1961), with k coefficients, the intercept among them.
The regression without any factor is one of those that compete.
"""

import math
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, Vector, constant_columns
from domain.records import dataclass

PERFECT = 1e-24
"""Unexplained part of the sum of squares below which nothing but rounding is left."""


class Direction(StrEnum):
    """Where a stepwise regression starts."""

    FORWARD = "FORWARD"  # from no factor
    BACKWARD = "BACKWARD"  # from all


class Criterion(StrEnum):
    """Criterion of the selection."""

    P_VALUE = "P_VALUE"
    AIC = "AIC"
    BIC = "BIC"
    ADJUSTED_R_SQUARED = "ADJUSTED_R_SQUARED"


@dataclass(frozen=True, slots=True)
class _Fit:
    coefficients: Vector  # (S,)
    inverse: Vector  # (S,), diagonal of (X'X)^-1
    residual: Vector  # (K,), of the part that the factors span
    basis: Matrix  # (K, S), orthonormal
    squares: float  # unexplained


@dataclass(frozen=True, slots=True)
class _Asset:
    """One asset's regressions, in the K coordinates that an orthogonal basis of all factors leaves of T periods."""

    columns: Matrix  # (K, K), the factors
    target: Vector  # (K,)
    beyond: float  # sum of squares that no factor explains
    count: int  # T

    def on(self, places: list[int]) -> _Fit:
        chosen = self.columns[:, places]
        basis, triangle = np.linalg.qr(chosen)
        inverse = np.linalg.inv(triangle) if places else np.zeros((0, 0))
        residual = self.target - basis @ (basis.T @ self.target)
        squares = self.beyond + float(residual @ residual)
        floor = PERFECT * (self.beyond + float(self.target @ self.target))
        coefficients = inverse @ (basis.T @ self.target)
        return _Fit(coefficients, (inverse**2).sum(axis=1), residual, basis, max(squares, floor))

    def p_values(self, fit: _Fit) -> Vector:
        """Of each coefficient being 0, (S,)."""
        from scipy.special import stdtr  # only where it is used, in worker processes

        freedom = self.count - 1 - len(fit.coefficients)
        errors = np.sqrt(fit.squares / freedom * fit.inverse)
        result: Vector = 2.0 * stdtr(freedom, -np.abs(fit.coefficients) / errors)
        return result

    def gains(self, fit: _Fit, rest: list[int]) -> Vector:
        """Sum of squares that each further factor alone would explain, (R,)."""
        columns = self.columns[:, rest]
        apart = columns - fit.basis @ (fit.basis.T @ columns)
        result: Vector = (apart.T @ fit.residual) ** 2 / (apart**2).sum(axis=0)
        return result


@dataclass(frozen=True, slots=True)
class Stepwise:
    """How factors are chosen; `threshold` is the largest p-value of one that stays."""

    direction: Direction
    criterion: Criterion
    threshold: float

    def exposures(
        self, factors: Matrix, returns: Matrix, check_cancelled: CancellationCheck = never_cancelled
    ) -> Matrix:
        """Exposures (N, K) of returns (T, N) to factors (T, K); 0 to those that are not chosen."""
        scale = factors.std(axis=0)
        basis, columns = np.linalg.qr((factors - factors.mean(axis=0)) / scale)
        away = returns - returns.mean(axis=0)
        targets = basis.T @ away
        beyond = ((away - basis @ targets) ** 2).sum(axis=0)
        found = np.zeros((returns.shape[1], factors.shape[1]))
        for i in np.flatnonzero(~constant_columns(returns)).tolist():
            asset = _Asset(columns, targets[:, i], float(beyond[i]), len(factors))
            places = self._chosen(asset, check_cancelled)
            found[i, places] = asset.on(places).coefficients
        result: Matrix = found / scale
        return result

    def _chosen(self, asset: _Asset, check_cancelled: CancellationCheck) -> list[int]:
        if self.direction is Direction.FORWARD:
            return self._forward(asset, check_cancelled)
        return self._backward(asset, check_cancelled)

    def _forward(self, asset: _Asset, check_cancelled: CancellationCheck) -> list[int]:
        places: list[int] = []
        while len(places) < len(asset.columns):
            check_cancelled()
            rest = np.setdiff1d(np.arange(len(asset.columns)), places).tolist()
            fit = asset.on(places)
            order = np.argsort(-asset.gains(fit, rest), kind="stable")
            joins = self._joins(asset, places, fit, [rest[k] for k in order.tolist()])
            if joins is None:
                break
            places.append(joins)
        return places

    def _joins(self, asset: _Asset, places: list[int], fit: _Fit, best_first: list[int]) -> int | None:
        if self.criterion is not Criterion.P_VALUE:
            larger = asset.on([*places, best_first[0]])
            return best_first[0] if self._score(asset, larger) < self._score(asset, fit) else None
        for candidate in best_first:
            values = asset.p_values(asset.on([*places, candidate]))
            if values[-1] > self.threshold:
                break  # those that follow explain less still
            if float(values.max()) <= self.threshold:
                return candidate
        return None

    def _backward(self, asset: _Asset, check_cancelled: CancellationCheck) -> list[int]:
        places = list(range(len(asset.columns)))
        while places:
            check_cancelled()
            fit = asset.on(places)
            if self.criterion is Criterion.P_VALUE:
                values = asset.p_values(fit)
                if float(values.max()) <= self.threshold:
                    break
                places.pop(int(values.argmax()))
                continue
            missed: NDArray[np.float64] = fit.coefficients**2 / fit.inverse
            least = int(missed.argmin())
            smaller = asset.on(places[:least] + places[least + 1 :])
            if not self._score(asset, smaller) < self._score(asset, fit):
                break
            places.pop(least)
        return places

    def _score(self, asset: _Asset, fit: _Fit) -> float:
        """The criterion without terms that do not depend on the choice; less is better."""
        count, coefficients = asset.count, len(fit.coefficients) + 1
        if self.criterion is Criterion.ADJUSTED_R_SQUARED:
            return float(fit.squares / (count - coefficients))
        price = 2.0 if self.criterion is Criterion.AIC else math.log(count)
        return count * math.log(fit.squares) + price * coefficients
