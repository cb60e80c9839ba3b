"""Affine expressions of a program's variables, as sparse triplets."""

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.records import dataclass

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Affine:
    """m expressions: constant + sum of values[k] x[columns[k]] in the rows rows[k]."""

    rows: Indices
    columns: Indices
    values: Vector
    constant: Vector  # (m,)

    def __len__(self) -> int:
        return len(self.constant)

    def __add__(self, other: "Affine | Vector | float") -> "Affine":
        if not isinstance(other, Affine):
            return Affine(self.rows, self.columns, self.values, self.constant + other)
        mine, theirs = self.stretched(len(other)), other.stretched(len(self))
        return Affine(
            np.concatenate([mine.rows, theirs.rows]),
            np.concatenate([mine.columns, theirs.columns]),
            np.concatenate([mine.values, theirs.values]),
            mine.constant + theirs.constant,
        )

    def __sub__(self, other: "Affine | Vector | float") -> "Affine":
        return self + (-1.0 * other)

    def __rmul__(self, factor: float) -> "Affine":
        return self.times(factor)

    def __neg__(self) -> "Affine":
        return self.times(-1.0)

    def times(self, factor: float | Vector) -> "Affine":
        """Each expression times its factor; one expression times m factors gives m."""
        factors = np.atleast_1d(np.asarray(factor, dtype=np.float64))
        wide = self.stretched(len(factors))
        factors = np.broadcast_to(factors, len(wide))
        return Affine(wide.rows, wide.columns, wide.values * factors[wide.rows], wide.constant * factors)

    def stretched(self, count: int) -> "Affine":
        """A single expression repeated `count` times; others as they are."""
        if len(self) != 1 or count <= 1:
            return self
        return Affine(
            np.repeat(np.arange(count), len(self.columns)),
            np.tile(self.columns, count),
            np.tile(self.values, count),
            np.repeat(self.constant, count),
        )

    def under(self, matrix: Matrix) -> "Affine":
        """matrix times the expressions, for variables as they stand or few expressions."""
        dense = np.zeros((len(self), int(self.columns.max(initial=-1)) + 1))
        np.add.at(dense, (self.rows, self.columns), self.values)
        product = matrix @ dense
        rows, columns = np.nonzero(product)
        return Affine(rows, columns, product[rows, columns], matrix @ self.constant)

    def total(self, weights: Vector | None = None) -> "Affine":
        """The (weighted) sum of the expressions as one."""
        factors = np.ones(len(self)) if weights is None else weights
        constant = np.array([float(factors @ self.constant)])
        return Affine(np.zeros(len(self.rows), np.intp), self.columns, self.values * factors[self.rows], constant)

    def at(self, indices: Indices) -> "Affine":
        """Some of the expressions."""
        order = np.full(len(self), -1)
        order[indices] = np.arange(len(indices))
        kept = order[self.rows] >= 0
        return Affine(order[self.rows[kept]], self.columns[kept], self.values[kept], self.constant[indices])

    def value(self, point: Vector) -> Vector:
        """The expressions at a point, (m,)."""
        result = self.constant.copy()
        np.add.at(result, self.rows, self.values * point[self.columns])
        return result


def constant(values: float | Vector) -> Affine:
    """Expressions without variables."""
    empty = np.zeros(0, np.intp)
    return Affine(empty, empty, np.zeros(0), np.atleast_1d(np.asarray(values, dtype=np.float64)))


def stacked(*parts: Affine) -> Affine:
    """Expressions one after the other."""
    starts = np.cumsum([0, *map(len, parts)])
    return Affine(
        np.concatenate([part.rows + start for part, start in zip(parts, starts, strict=False)]),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.constant for part in parts]),
    )


def interleaved(*parts: Affine) -> Affine:
    """The first expressions of all parts, then the second ones, and so on."""
    count, step = max(map(len, parts)), len(parts)
    wide = [part.stretched(count) for part in parts]
    together = np.zeros(count * step)
    for offset, part in enumerate(wide):
        together[offset::step] = part.constant
    return Affine(
        np.concatenate([part.rows * step + offset for offset, part in enumerate(wide)]),
        np.concatenate([part.columns for part in wide]),
        np.concatenate([part.values for part in wide]),
        together,
    )
