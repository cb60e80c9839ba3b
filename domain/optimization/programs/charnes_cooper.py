"""The Charnes-Cooper transformation: every limit multiplied by the homogenisation variable kappa.

A ratio does not change when weights and limits grow together, so it is highest where the risk is least at a numerator
of 1 (Charnes & Cooper 1962; Cornuejols & Tutuncu 2007, section 8.2), with y = kappa w in the place of the weights.

`HomogenisedLimits` are linear limits as a polytope, for quadratic programs and cutting planes: where the weights have a
budget B other than 0, kappa is their sum over B and needs no variable. A conic program has no such form: it writes each
limit as an expression, once for weights and for y, with kappa the number 1 or a variable (see `conic.conic_problem`).
What it means that a ratio was not found is the same for all of them, and its gap is `duality.ratio_gap`.
"""

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.errors import NoPositiveExcessReturn, SolverFailed, UnboundedProblem
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.net_return import NetReturn
from domain.optimization.problem.polytope import Polytope
from domain.optimization.programs.binding_limits import box_bindings, row_bindings
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Program
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.solution import Binding
from domain.records import dataclass


def refuse_without_excess_return(limits: FeasibleSet, net_return: NetReturn, control: SolverControl) -> None:
    """Raises where weights keep the limits but none has a positive excess return."""
    polytope = limits.polytope()
    best = None
    if (polytope.lower <= polytope.upper).all():
        cost = np.append(-net_return.by_asset, np.zeros(len(polytope.lower) - limits.n_assets))
        best = solve_linear(Program(None, cost, polytope), control)
    if best is None:
        return
    raise no_ratio(net_return, float(net_return.by_asset @ best.point[: limits.n_assets]) - net_return.constant)


def no_ratio(net_return: NetReturn, highest: float) -> NoPositiveExcessReturn | SolverFailed:
    """Why no ratio was found although some weights keep the limits, from the highest annual net return of those."""
    if highest > 0.0:
        return SolverFailed("the solver found no portfolio although there are some with a positive excess return")
    if net_return.is_spread:
        return NoPositiveExcessReturn(
            "no feasible portfolio holds assets whose returns vary: there is no diversification ratio"
        )
    return NoPositiveExcessReturn(
        f"every feasible portfolio has an expected excess return of zero or less, at best {highest:.6g} a year"
    )


class RisklessPortfolio(UnboundedProblem):
    """Why a ratio has no maximum where the least risk at a net return of 1 is none.

    How small a risk counts as none is for each method to say: it depends on the accuracy of its solver. `weights` are
    a portfolio of that kind, None where none is known: searches that relax limits see by it which of them excludes it.
    """

    def __init__(self, net_return: NetReturn, weights: Vector | None) -> None:
        super().__init__(
            "a portfolio of assets whose returns vary is without risk: the diversification ratio has no maximum"
            if net_return.is_spread
            else "a portfolio without risk has a positive excess return: the ratio has no maximum"
        )
        self.weights = weights


@dataclass(frozen=True, slots=True)
class HomogenisedLimits:
    """A feasible set with every limit multiplied by kappa."""

    limits: FeasibleSet
    rows: Matrix  # (K, columns): kept rows of the source, then bounds other than zero
    lower: Vector  # (K,)
    upper: Vector  # (K,)
    variable_lower: Vector  # (columns,)
    variable_upper: Vector  # (columns,)
    kappa: Vector  # (columns,), kappa as a combination of the variables
    from_row: NDArray[np.intp]  # source row of the first of the K rows
    from_bound: NDArray[np.intp]  # variable of the others
    source_rows: int

    @classmethod
    def of(cls, limits: FeasibleSet) -> "HomogenisedLimits":
        """The cone of a feasible set; a budget other than zero gives kappa and is then no limit any more."""
        source = limits.polytope()
        budget = next((i for i, row in enumerate(limits.rows) if row.is_budget and row.upper != 0.0), None)
        extra = 1 if budget is None else 0
        kappa = np.zeros(len(source.lower) + extra)
        if budget is None:
            kappa[-1] = 1.0
        else:
            kappa[: limits.n_assets] = 1.0 / limits.rows[budget].upper
        wide = np.hstack([source.matrix, np.zeros((len(source.matrix), extra))])
        kept = np.array([i for i in range(len(wide)) if i != budget], dtype=np.intp)
        bounds = np.eye(len(source.lower), len(kappa))
        blocks = [
            _homogenised(wide[kept], source.row_lower[kept], source.row_upper[kept], kappa, kept),
            _homogenised(
                bounds, _nonzero_bounds(source.lower), _nonzero_bounds(source.upper), kappa, np.arange(len(bounds))
            ),
        ]
        free = np.full(extra, np.inf)
        return cls(
            limits=limits,
            rows=np.vstack([block.rows for block in blocks]),
            lower=np.concatenate([block.lower for block in blocks]),
            upper=np.concatenate([block.upper for block in blocks]),
            variable_lower=np.append(np.where(source.lower == 0.0, 0.0, -np.inf), np.zeros(extra)),
            variable_upper=np.append(np.where(source.upper == 0.0, 0.0, np.inf), free),
            kappa=kappa,
            from_row=blocks[0].origin,
            from_bound=blocks[1].origin,
            source_rows=len(source.matrix),
        )

    @property
    def columns(self) -> int:
        """How many variables there are: the source's, and kappa where it needs one."""
        return len(self.kappa)

    def polytope(self, net_return: NetReturn, size: float) -> Polytope:
        """The cone cut where numerator . y - constant kappa is 1 in units of its scale, with kappa >= 0."""
        cut = -net_return.constant / size * self.kappa
        cut[: self.limits.n_assets] += net_return.by_asset / size
        rows, ends, open_ends = [self.rows, cut[None, :]], [1.0], [1.0]
        if not self._is_positive:
            rows, ends, open_ends = [*rows, self.kappa[None, :]], [1.0, 0.0], [1.0, np.inf]
        return Polytope(
            np.vstack(rows),
            np.concatenate([self.lower, ends]),
            np.concatenate([self.upper, open_ends]),
            self.variable_lower,
            self.variable_upper,
        )

    def kappa_of(self, point: Vector, solver: str) -> float:
        """The kappa by which a solver's point (columns,) is divided. Raises SolverFailed where it is not positive."""
        kappa = float(self.kappa @ point)
        if kappa <= 0.0:
            raise SolverFailed(f"{solver} returned a portfolio of no size")
        return kappa

    @property
    def _is_positive(self) -> bool:
        """Whether no point of the cone has a negative kappa anyway."""
        return bool(((self.kappa == 0.0) | ((self.kappa > 0.0) & (self.variable_lower == 0.0))).all())

    def binding(
        self, multipliers: Vector, box_multipliers: Vector, weights: Vector, unit: float
    ) -> tuple[Binding, ...]:
        """Bindings of the source's limits, from the multipliers of the cone's."""
        of_rows, of_bounds = np.zeros(self.source_rows), np.zeros(self.columns)
        split = len(self.from_row)
        np.add.at(of_rows, self.from_row, multipliers[:split])
        np.add.at(of_bounds, self.from_bound, multipliers[split : split + len(self.from_bound)])
        size = self.limits.n_assets
        at_zero = np.isfinite(self.variable_lower[:size]) | np.isfinite(self.variable_upper[:size])
        of_bounds[:size] += np.where(at_zero, box_multipliers, 0.0)
        found = row_bindings(of_rows, self.limits, unit)
        return (*found, *box_bindings(weights, of_bounds[:size], self.limits, unit))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of a cone and which limit each comes from."""

    rows: Matrix
    lower: Vector
    upper: Vector
    origin: NDArray[np.intp]


def _homogenised(rows: Matrix, lower: Vector, upper: Vector, kappa: Vector, origin: NDArray[np.intp]) -> _Rows:
    """rows x - lower kappa >= 0 and rows x - upper kappa <= 0, as far as there are bounds; equalities once."""
    equal = np.flatnonzero(lower == upper)
    above = np.flatnonzero(np.isfinite(lower) & (lower != upper))
    below = np.flatnonzero(np.isfinite(upper) & (lower != upper))
    order = np.concatenate([equal, above, below])
    ends = np.concatenate([upper[equal], lower[above], upper[below]])
    counts = len(equal), len(above), len(below)
    return _Rows(
        rows[order] - np.outer(ends, kappa),
        np.repeat([0.0, 0.0, -np.inf], counts),
        np.repeat([0.0, np.inf, 0.0], counts),
        origin[order],
    )


def _nonzero_bounds(bounds: Vector) -> Vector:
    """A bound at zero stays one whatever kappa is."""
    return np.where(bounds == 0.0, np.nan, bounds)
