"""The table of methods: which objective under which limits is solved how, at what cost, by which solver.

The first row that applies is used. Within one objective, exact and fast methods stand before general ones.
"""

from collections.abc import Callable
from typing import Any

from domain.errors import NotSupported
from domain.optimization.methods import (
    Call,
    cutting_planes,
    diversification,
    equal_weights,
    factor_budget,
    growth,
    hierarchy,
    highest_net_return,
    highest_return,
    inverse_volatilities,
    linear_diversification,
    mean_variance_utility,
    measure_budget,
    minimum_risk,
    minimum_variance,
    moments,
    ordered_average,
    ratio,
    relaxed_budget,
    robust,
    sharpe_ratio,
    tail_program,
    tracking_error,
    utility,
    volatility_budget,
)
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.problem import Problem
from domain.optimization.request import objectives
from domain.optimization.solution import Candidate
from domain.optimization.spectral.spectral_risk import is_spectral
from domain.records import dataclass
from domain.risk.measures import RiskMeasure


@dataclass(frozen=True, slots=True)
class SolutionMethod:
    """One row of the table."""

    objectives: tuple[type, ...]
    condition: str  # `applies` in words
    applies: Callable[[Problem, FeasibleSet], bool]
    name: str
    cost: str  # of one call, N assets, S scenarios, M limits
    solvers: tuple[str, ...]  # the names that a certificate can have
    solve: Callable[[Call, Any], Candidate | None]  # given the objective too, which is one of `objectives`


QUADRATIC_SOLVERS = ("active set", "daqp", "piqp", "interior point")
NEWTON_SOLVERS = tuple(
    f"newton over {name}" for name in ("daqp", "piqp", "active set", "clarabel", "quadratic programs")
)


def method_of(problem: Problem, limits: FeasibleSet) -> SolutionMethod:
    """The first row that applies. Raises NotSupported where there is none."""
    for method in METHODS:
        if isinstance(problem.objective, method.objectives) and method.applies(problem, limits):
            return method
    raise NotSupported(f"objective {type(problem.objective).__name__} is not supported yet")


def _always(problem: Problem, limits: FeasibleSet) -> bool:
    return True


def _linear(problem: Problem, limits: FeasibleSet) -> bool:
    return limits.is_linear


def _linear_without_costs(problem: Problem, limits: FeasibleSet) -> bool:
    return limits.is_linear and problem.costs is None


def _quadratic(problem: Problem, limits: FeasibleSet) -> bool:
    return problem.risk_measure.is_quadratic


def _linear_quadratic(problem: Problem, limits: FeasibleSet) -> bool:
    return limits.is_linear and problem.risk_measure.is_quadratic


def _linear_quadratic_without_costs(problem: Problem, limits: FeasibleSet) -> bool:
    return _linear_quadratic(problem, limits) and problem.costs is None


def _linear_cvar(problem: Problem, limits: FeasibleSet) -> bool:
    return limits.is_linear and problem.risk_measure is RiskMeasure.CONDITIONAL_VALUE_AT_RISK


def _linear_spectral(problem: Problem, limits: FeasibleSet) -> bool:
    return limits.is_linear and is_spectral(problem.risk_measure)


def _linear_spectral_without_costs(problem: Problem, limits: FeasibleSet) -> bool:
    return _linear_spectral(problem, limits) and problem.costs is None


ONE_QP, ONE_LP, ONE_CONIC = "one quadratic program", "one linear program", "one conic program"
CUTS = "dozens of linear programs with a row for each cut"
BORDER = "CVaR of 2,000 or more scenarios: an interior point over the border of the tail"
NEWTON = "a few Newton steps, N^3 each"

METHODS: tuple[SolutionMethod, ...] = (
    SolutionMethod(
        (objectives.MinRisk,),
        "variance or standard deviation, linear limits",
        _linear_quadratic,
        "minimum variance",
        ONE_QP,
        (*QUADRATIC_SOLVERS, "clarabel"),
        minimum_variance,
    ),
    SolutionMethod(
        (objectives.MinRisk,),
        "CVaR, linear limits",
        _linear_cvar,
        "tail program",
        f"two or three linear programs over the tail; {BORDER}",
        ("highs", "interior point"),
        tail_program,
    ),
    SolutionMethod(
        (objectives.MinRisk,),
        "other spectral measures, linear limits",
        _linear_spectral,
        "cutting planes",
        CUTS,
        ("highs",),
        cutting_planes,
    ),
    SolutionMethod(
        (objectives.MinRisk,), "any other", _always, "risk epigraph", ONE_CONIC, ("clarabel",), minimum_risk
    ),
    SolutionMethod(
        (objectives.MaxReturn,),
        "linear limits, no costs",
        _linear_without_costs,
        "highest return",
        ONE_LP,
        ("highs",),
        highest_return,
    ),
    SolutionMethod(
        (objectives.MaxReturn,),
        "any other",
        _always,
        "highest net return",
        ONE_CONIC,
        ("clarabel",),
        highest_net_return,
    ),
    SolutionMethod(
        (objectives.MaxUtility, objectives.MaxRatio),
        "spectral measures, linear limits, no costs",
        _linear_spectral_without_costs,
        "cutting planes",
        f"{CUTS}; {BORDER}",
        ("highs", "interior point"),
        cutting_planes,
    ),
    SolutionMethod(
        (objectives.MaxUtility,),
        "variance or standard deviation, linear limits, no costs",
        _linear_quadratic_without_costs,
        "mean-variance utility",
        ONE_QP,
        (*QUADRATIC_SOLVERS, "highs", "clarabel"),
        mean_variance_utility,
    ),
    SolutionMethod((objectives.MaxUtility,), "any other", _always, "risk epigraph", ONE_CONIC, ("clarabel",), utility),
    SolutionMethod(
        (objectives.MaxRatio,),
        "variance or standard deviation, linear limits, no costs",
        _linear_quadratic_without_costs,
        "Charnes-Cooper",
        ONE_QP,
        QUADRATIC_SOLVERS,
        sharpe_ratio,
    ),
    SolutionMethod(
        (objectives.MaxRatio,), "any other", _always, "Charnes-Cooper, risk epigraph", ONE_CONIC, ("clarabel",), ratio
    ),
    SolutionMethod(
        (objectives.MaxDiversification,),
        "linear limits",
        _linear,
        "Charnes-Cooper",
        ONE_QP,
        QUADRATIC_SOLVERS,
        linear_diversification,
    ),
    SolutionMethod(
        (objectives.MaxDiversification,),
        "any other",
        _always,
        "Charnes-Cooper, risk epigraph",
        ONE_CONIC,
        ("clarabel",),
        diversification,
    ),
    SolutionMethod(
        (objectives.Tracking,), "always", _always, "tracking error", ONE_CONIC, ("clarabel",), tracking_error
    ),
    SolutionMethod(
        (objectives.Kelly,),
        "always",
        _always,
        "Newton steps over the limits, else exponential cones",
        "a quadratic program for each of a few steps",
        (*NEWTON_SOLVERS, "clarabel"),
        growth,
    ),
    SolutionMethod(
        (objectives.WorstCase,), "variance", _always, "robust counterpart", ONE_CONIC, ("clarabel",), robust
    ),
    SolutionMethod(
        (objectives.RiskBudget,),
        "variance or standard deviation",
        _quadratic,
        "logarithmic barrier",
        NEWTON,
        ("newton", "clarabel"),
        volatility_budget,
    ),
    SolutionMethod(
        (objectives.RiskBudget,),
        "any other",
        _always,
        "risk epigraph with logarithms",
        ONE_CONIC,
        ("clarabel",),
        measure_budget,
    ),
    SolutionMethod(
        (objectives.FactorBudget,),
        "variance or standard deviation",
        _always,
        "logarithmic barrier",
        NEWTON,
        ("newton", "clarabel"),
        factor_budget,
    ),
    SolutionMethod(
        (objectives.RelaxedRiskBudget,),
        "long-only",
        _always,
        "relaxed risk parity",
        ONE_CONIC,
        ("clarabel", *QUADRATIC_SOLVERS),
        relaxed_budget,
    ),
    SolutionMethod(
        (objectives.HigherMoments,),
        "always",
        _always,
        "Newton steps over the limits",
        "a quadratic program for each of a few steps",
        NEWTON_SOLVERS,
        moments,
    ),
    SolutionMethod(
        (objectives.OrderedWeightedAverage,),
        "linear limits, no costs",
        _always,
        "cutting planes",
        CUTS,
        ("highs",),
        ordered_average,
    ),
    SolutionMethod(
        (objectives.Hierarchical,),
        "bounds on single weights",
        _always,
        "clusters of the assets",
        "a tree, N^2 log N",
        ("hrp", "herc", "herc2", "nco"),
        hierarchy,
    ),
    SolutionMethod((objectives.EqualWeight,), "always", _always, "formula", "none", ("equal weight",), equal_weights),
    SolutionMethod(
        (objectives.InverseVolatility,),
        "always",
        _always,
        "formula",
        "none",
        ("inverse volatility",),
        inverse_volatilities,
    ),
)
"""In the order in which they are tried."""
