"""Risk budgets within limits that bind, for any convex measure and budgets of assets or of factors.

The portfolio minimises risk(w) - lambda sum b ln(A'w) within every limit but the budget, with lambda such that the
budget holds (Richard & Roncalli 2019, "Constrained risk budgeting portfolios"). Where no limit binds that is the risk
budget itself, lambda being its risk: then w grows in proportion to lambda. A is the identity for budgets of assets.
"""

from dataclasses import replace

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported
from domain.optimization.conic.conic_problem import ConicProblem, build_conic_problem, risk_epigraph
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import Row
from domain.optimization.problem.polytope import Polytope
from domain.optimization.problem.portfolio_risk import PortfolioRisk
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.affine import Affine, constant
from domain.optimization.programs.conic_program import ConicSolution
from domain.optimization.programs.duality import gap_to_bound
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Program
from domain.optimization.programs.repair import repair
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.programs.solver_info import solver_version
from domain.optimization.solution import Candidate, Engine
from domain.records import dataclass
from domain.risk.measures import to_first_degree

BUDGET_MET = 1e-10
"""Miss of the budget, relative, at which the search ends; what is left is settled without changing the portfolio."""

BUDGET_NEAR = 1e-5
"""The most that may be left to settle where the solver's own accuracy ends the search; the gap tells what it costs."""

BUDGET_REPAIRED = 1e-9
"""A miss of the budget up to this is settled as it stands."""

ALWAYS_MET = 1e-7
"""A miss of the budget that, for two lambdas, is that of limits which fix the sum themselves."""

NOT_EXPOSED = 1e-9
"""An exposure that can be no larger than this cannot be shared: its logarithm is that of rounding."""

WIDENINGS = 16
"""Times lambda may grow or shrink by a factor of four in search of a bracket."""

SEARCHES = 60

LAMBDA_FLOOR = 1e-2
"""A lambda smaller than this part of the risk counts as this when a gap is taken relative to it."""

DIFFERENT = 1e-5
"""Weights that differ by more than this are two portfolios."""


@dataclass(frozen=True, slots=True)
class BudgetedExposures:
    """Exposures A'w and the risk budget of each; the budgets sum to 1."""

    exposures: Matrix | None  # (N, K), None for the weights themselves
    fractions: Vector  # (K,)

    def of(self, weights: Vector) -> Vector:
        """The exposures of weights (N,)."""
        return weights if self.exposures is None else self.exposures.T @ weights


@dataclass(frozen=True, slots=True)
class _Trial:
    """The portfolio of one lambda."""

    factor: float  # lambda, in units of the risk
    answer: ConicSolution
    weights: Vector
    excess: float  # of the sum of the weights over the budget, relative


def constrained_risk_budget(
    problem: Problem, limits: FeasibleSet, budgeted: BudgetedExposures, start: Vector, control: SolverControl
) -> Candidate:
    """The bounded budgets of limits that can be met; `start` (N,) is about where the portfolio may be.

    Raises NotSupported where no lambda meets the budget, or every one does, with the labels of the limits that prevent
    it.
    """
    refuse_without_exposure(limits, budgeted.exposures, control)
    search = _LambdaSearch.of(problem, _without_budget(limits), budgeted, control)
    found = search.root(max(search.risk(start), 1e-6))
    search.refuse_if_any_will_do(found)

    def value_of(weights: Vector) -> float:
        exposed = budgeted.of(weights)
        if exposed.min() <= 0.0:
            return np.inf
        return search.risk(weights) - found.factor * float(budgeted.fractions @ np.log(exposed))

    near = found.weights
    if abs(found.excess) > BUDGET_REPAIRED:
        # What the accuracy of the solver leaves of the budget: the best that meets it at this lambda.
        near = _LambdaSearch.of(problem, limits, budgeted, control).trial(found.factor).weights
    weights = repair(limits, near, value_of)
    bindings = search.conic.bindings(found.answer, weights, 1.0)
    return Candidate(
        weights=weights,
        engine=Engine.FAST,
        solver="clarabel",
        solver_version=solver_version("clarabel"),
        iterations=search.iterations,
        relative_gap=gap_to_bound(
            value_of(weights), found.answer.bound, max(found.factor, LAMBDA_FLOOR * search.risk(weights))
        ),
        # What relaxing is worth has no unit here: lambda moves with the limit.
        binding=tuple(replace(binding, shadow_price=None) for binding in bindings),
    )


@dataclass
class _LambdaSearch:
    """Programs that differ in lambda alone."""

    conic: ConicProblem
    measure: PortfolioRisk
    size: Affine  # the risk, in its own units
    logs: Affine  # one for each budget
    budgeted: BudgetedExposures
    limits: FeasibleSet
    budget: float
    control: SolverControl
    iterations: int = 0

    @classmethod
    def of(
        cls, problem: Problem, limits: FeasibleSet, budgeted: BudgetedExposures, control: SolverControl
    ) -> "_LambdaSearch":
        conic = build_conic_problem(limits, control)
        model, count = conic.model, len(budgeted.fractions)
        logs = model.variables(count)
        exposed = conic.weights if budgeted.exposures is None else conic.weights.under(budgeted.exposures.T)
        model.exponential(logs, constant(np.ones(count)), exposed)
        size = risk_epigraph(conic, problem.risk, conic.weights)
        return cls(conic, problem.risk, size, logs, budgeted, limits, problem.budget, control)

    def risk(self, weights: Vector) -> float:
        """To the first degree, in units of the program."""
        return to_first_degree(self.measure.of(weights), self.measure.measure.degree) / self.measure.scale

    def trial(self, factor: float) -> _Trial:
        """The portfolio of one lambda. Raises SolverTimedOut, and NotSupported where nothing has positive exposures."""
        self.control()
        model = self.conic.model
        model.minimise(self.size - self.logs.total(factor * self.budgeted.fractions))
        answer = model.solve()
        if answer is None:
            raise NotSupported(
                f"within these limits not all that share the risk can be held; {_conflict_hint(self.limits)}"
            )
        self.iterations += answer.iterations
        weights = self.conic.weights.value(answer.point)
        return _Trial(factor, answer, weights, float(weights.sum()) / self.budget - 1.0)

    def root(self, start: float) -> _Trial:
        """The lambda that meets the budget: bracketed, then by the Illinois variant of the false position."""
        low = high = self.trial(start)
        for _ in range(WIDENINGS):
            always = low is not high and max(abs(low.excess), abs(high.excess)) <= ALWAYS_MET
            if always or low.excess <= 0.0 <= high.excess:
                break
            if high.excess < 0.0:
                low, high = high, self.trial(4.0 * high.factor)
            else:
                low, high = self.trial(0.25 * low.factor), low
        else:
            raise self.none()
        best = min(low, high, key=lambda trial: abs(trial.excess))
        below, above = low.excess, high.excess
        for _ in range(SEARCHES):
            if abs(best.excess) <= BUDGET_MET or above <= below or high.factor - low.factor <= 1e-14 * high.factor:
                break
            step = (low.factor * above - high.factor * below) / (above - below)
            middle = self.trial(step if low.factor < step < high.factor else 0.5 * (low.factor + high.factor))
            best = min(best, middle, key=lambda trial: abs(trial.excess))
            # The end that stays is taken for half as far, or it would never move.
            if middle.excess < 0.0:
                low, below, above = middle, middle.excess, 0.5 * above
            else:
                high, above, below = middle, middle.excess, 0.5 * below
        if abs(best.excess) > BUDGET_NEAR:
            raise self.none()
        return best

    def none(self) -> NotSupported:
        """No lambda meets the budget."""
        way = _conflict_hint(self.limits)
        return NotSupported(f"within these limits no portfolio of the budget is a bounded risk budget; {way}")

    def refuse_if_any_will_do(self, found: _Trial) -> None:
        """Where limits fix the sum of the weights themselves, every lambda meets the budget and none is the one."""
        if not self.limits.rows:
            return
        other = self.trial(1.5 * found.factor)
        if abs(other.excess) <= ALWAYS_MET and np.abs(other.weights - found.weights).max() > DIFFERENT:
            raise NotSupported(
                "limits that fix the sum of the weights by themselves leave bounded risk budgets undefined; "
                + _conflict_hint(self.limits)
            )


def refuse_without_exposure(limits: FeasibleSet, exposures: Matrix | None, control: SolverControl) -> None:
    """Raises NotSupported where limits leave an exposure A'w, (K,), at 0 or less: it has no logarithm."""
    size, polytope = limits.n_assets, limits.polytope()
    exposed = np.eye(size) if exposures is None else exposures.T
    # The largest t with A'w >= t over the limits, t at most 1.
    above = np.zeros((len(exposed), len(polytope.lower) + 1))
    above[:, :size], above[:, -1] = exposed, -1.0
    wide = np.hstack([polytope.matrix, np.zeros((len(polytope.matrix), 1))])
    widened = Polytope(
        np.vstack([wide, above]),
        np.append(polytope.row_lower, np.zeros(len(exposed))),
        np.append(polytope.row_upper, np.full(len(exposed), np.inf)),
        np.append(polytope.lower, -np.inf),
        np.append(polytope.upper, 1.0),
    )
    best = solve_linear(Program(None, np.append(np.zeros(len(polytope.lower)), -1.0), widened), control)
    if best is None or best.point[-1] <= NOT_EXPOSED:
        raise NotSupported(f"within these limits not all that share the risk can be held; {_conflict_hint(limits)}")


def _without_budget(limits: FeasibleSet) -> FeasibleSet:
    kept = tuple(one for one in limits.limits if not (isinstance(one, Row) and one.is_budget))
    return FeasibleSet(limits.symbols, kept)


def _conflict_hint(limits: FeasibleSet) -> str:
    return "loosen one of " + ", ".join(_without_budget(limits).labels)
