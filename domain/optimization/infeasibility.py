"""Why no weights exist: a smallest set of conflicting labels, and how far each must be relaxed.

The set is found by a deletion filter (Chinneck & Dravnieks 1991): drop each label in turn, and keep it dropped if the
rest is still infeasible. What remains is irreducible: without any one of its labels the others can be met. Where linear
limits alone conflict, only the labels that a proof of it needs are tried, at most one more than there are variables.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import assert_never

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.errors import InfeasibleProblem, NotSupported, SolverTimedOut
from domain.optimization.conic.conic_problem import ConicProblem
from domain.optimization.feasibility import any_weights_without_spectral, is_feasible, is_proven, unproven_candidate
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import AbsoluteSum, Box, ContributionBounds, Limit, RiskCap, Row, excess
from domain.optimization.problem.selection_limits import CardinalityRow, SelectionLimit
from domain.optimization.programs.affine import constant
from domain.optimization.programs.conic_model import ConicModel
from domain.optimization.programs.farkas import conflicting_labels
from domain.optimization.programs.rounding import round_to_zero
from domain.optimization.selection.cardinality import RelaxationLimitReachedError, select_assets
from domain.optimization.solution import Candidate
from domain.optimization.spectral.spectral_constraints import explore_spectral_constraints, within_spectral_constraints
from domain.optimization.tolerances import QUICK_SEARCH_RELAXATIONS

NEGLIGIBLE_RELAXATION = 1e-9

CONTRIBUTION_RESOLUTION = 1e-7
"""How closely the relaxation of a risk-contribution fraction is found."""

LARGEST_RELAXATION = 1e3
"""What is not enough by then is not looked for any further."""


def conflict(limits: FeasibleSet, check_cancelled: CancellationCheck = never_cancelled) -> InfeasibleProblem:
    """The error that explains a set of limits which is known to be infeasible.

    `check_cancelled` is called between programs; where it raises SolverTimedOut the error says what is known by then.
    """
    labels = list(limits.labels)
    try:
        labels = _suspects(limits)
        for label in tuple(labels):
            if label not in labels:
                continue
            rest = limits.only([other for other in labels if other != label])
            if is_proven(rest, feasible=False, check_cancelled=check_cancelled):
                labels = _suspects(rest)
    except SolverTimedOut:
        return InfeasibleProblem(labels)
    return _with_relaxations(limits, labels, check_cancelled)


def _with_relaxations(limits: FeasibleSet, labels: list[str], check_cancelled: CancellationCheck) -> InfeasibleProblem:
    singly: dict[str, float] = {}
    limits = FeasibleSet(
        limits.symbols,
        tuple(one.as_sum if isinstance(one, Box) and one.is_short_limit else one for one in limits.limits),
    )
    try:
        if limits.only(labels).contribution_bounds:
            return InfeasibleProblem(labels, contribution_relaxations(limits, labels, check_cancelled))
        for label in labels:
            check_cancelled()
            if (size := smallest_relaxation(limits, label, check_cancelled)) is not None:
                singly[label] = size
        check_cancelled()
        # A number of assets and a weight have no sum.
        whole = {selection.label for selection in limits.selection_limits}
        joint = {} if whole & set(labels) else joint_relaxation(limits, labels, check_cancelled)
        return InfeasibleProblem(labels, singly, joint)
    except SolverTimedOut:
        return InfeasibleProblem(labels, singly)


def _suspects(limits: FeasibleSet) -> list[str]:
    """Labels that contain a conflict: those that a proof needs where linear limits alone conflict, else all."""
    linear = FeasibleSet(
        limits.symbols, tuple(one for one in limits.limits if isinstance(one, Box | Row | AbsoluteSum))
    )
    needed = conflicting_labels(linear)
    if needed and any_weights_without_spectral(linear.only(needed)) is None:
        return [label for label in limits.labels if label in needed]
    return list(limits.labels)


def smallest_relaxation(
    limits: FeasibleSet, label: str, check_cancelled: CancellationCheck = never_cancelled
) -> float | None:
    """The least t such that widening every limit of one label by t makes the set feasible, in the limit's own unit.

    None where no t is enough.
    """
    selection = next((one for one in limits.selection_limits if one.label == label), None)
    if selection is not None:
        return _selection_relaxation(limits, selection, check_cancelled)
    try:
        found = _least_widening(limits, [label], check_cancelled)
    except RelaxationLimitReachedError:
        return _widening_by_bisection(limits, label, check_cancelled)
    return None if not found else max(found[label], NEGLIGIBLE_RELAXATION)


def joint_relaxation(
    limits: FeasibleSet, labels: Collection[str], check_cancelled: CancellationCheck = never_cancelled
) -> dict[str, float]:
    """How far to widen each label so that the set becomes feasible, the sum of all being the least possible.

    Empty where that is not enough, or where it takes too long to say.
    """
    try:
        return _least_widening(limits, labels, check_cancelled)
    except RelaxationLimitReachedError:
        return {}


def _least_widening(
    limits: FeasibleSet, labels: Collection[str], check_cancelled: CancellationCheck
) -> dict[str, float]:
    """An elastic program (Chinneck 2008): each label has its own t, by which all its ends move out."""

    def needed(weights: Vector) -> dict[str, float]:
        return {
            label: max((excess(limit, weights) for limit in limits.limits if limit.label == label), default=0.0)
            for label in labels
        }

    def elastic(looser: FeasibleSet) -> Candidate | None:
        return within_spectral_constraints(looser, lambda some: _elastic(some, labels), check_cancelled, scaled=False)

    explore_spectral_constraints(limits, labels, check_cancelled)

    def value(weights: Vector) -> float:
        return sum(needed(weights).values())

    if limits.selection_limits:
        found = select_assets(
            limits, elastic, value, check_cancelled, caps_hold=False, most_relaxations=QUICK_SEARCH_RELAXATIONS
        )
    else:
        found = elastic(limits)
    return {} if found is None else needed(found.weights)


def _widening_by_bisection(limits: FeasibleSet, label: str, check_cancelled: CancellationCheck) -> float | None:
    """The least t of one label, each t a question of its own: bounds that stand still say much about counts."""

    def feasible(t: float) -> bool:
        looser = tuple(_widened(limit, t) if limit.label == label else limit for limit in limits.limits)
        return is_feasible(FeasibleSet(limits.symbols, looser), QUICK_SEARCH_RELAXATIONS, check_cancelled)

    try:
        low, high = 0.0, 1.0
        while not feasible(high):
            if high > LARGEST_RELAXATION:
                return None
            low, high = high, 2.0 * high
        while high - low > NEGLIGIBLE_RELAXATION * max(1.0, high):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if feasible(middle) else (middle, high)
    except RelaxationLimitReachedError:
        return None
    return high


def _widened(limit: Limit, t: float) -> Limit:
    match limit:
        case Box():
            return replace(limit, lower=limit.lower - t, upper=limit.upper + t)
        case Row():
            return replace(limit, lower=limit.lower - t, upper=limit.upper + t)
        case AbsoluteSum():
            return replace(limit, maximum=limit.maximum + limit.factor * t)
        case RiskCap():
            return replace(limit, maximum=limit.maximum + t)
        case SelectionLimit() | ContributionBounds():
            return limit
        case _:
            assert_never(limit)


def contribution_relaxations(
    limits: FeasibleSet, labels: Collection[str], check_cancelled: CancellationCheck = never_cancelled
) -> dict[str, float]:
    """How far each bound on contributions must be moved out, by bisection; what the other labels need is not known."""
    found: dict[str, float] = {}
    for bounds in limits.contribution_bounds:
        if bounds.label not in labels:
            continue
        others = tuple(one for one in limits.limits if one is not bounds)

        def feasible(more: float, bounds: ContributionBounds = bounds, others: tuple[Limit, ...] = others) -> bool:
            check_cancelled()
            looser = replace(bounds, lower=bounds.lower - more, upper=bounds.upper + more)
            try:
                return is_feasible(FeasibleSet(limits.symbols, (*others, looser)))
            except (NotSupported, SolverTimedOut):
                return False

        if not feasible(1.0):
            continue
        low, high = 0.0, 1.0
        while high - low > CONTRIBUTION_RESOLUTION:
            middle = 0.5 * (low + high)
            low, high = (low, middle) if feasible(middle) else (middle, high)
        found[bounds.label] = high
    return found


def _elastic(limits: FeasibleSet, labels: Collection[str]) -> Candidate | None:
    model = ConicModel()
    conic = ConicProblem(model, model.variables(limits.n_assets), constant(1.0))
    given = {label: model.positive(1) for label in labels}
    for limit in limits.limits:
        conic.add(limit, limits.symbols, given.get(limit.label))
    total = constant(0.0)
    for t in given.values():
        total = total + t
    model.minimise(total)
    answer = model.vertex() if model.is_linear else model.solve()
    return None if answer is None else unproven_candidate(round_to_zero(conic.weights.value(answer.point)))


def _selection_relaxation(
    limits: FeasibleSet, selection: SelectionLimit, check_cancelled: CancellationCheck
) -> float | None:
    """Assets to add to every cardinality row, or what to take off a minimum position, by bisection; exclusions cannot
    relax."""
    others = tuple(limit for limit in limits.limits if limit is not selection)

    def feasible(looser: SelectionLimit) -> bool:
        check_cancelled()
        return is_proven(FeasibleSet(limits.symbols, (*others, looser)), feasible=True)

    if selection.exclusions is not None:
        return None
    if selection.cardinality:
        for more in range(1, max(int(count.members.sum()) - count.max_assets for count in selection.cardinality) + 1):
            cardinality = tuple(
                CardinalityRow(count.members, count.max_assets + more) for count in selection.cardinality
            )
            if feasible(replace(selection, cardinality=cardinality)):
                return float(more)
        return None
    least = selection.min_weight or 0.0
    if not is_proven(FeasibleSet(limits.symbols, others), feasible=True):
        return None
    low, high = 0.0, least
    while high - low > NEGLIGIBLE_RELAXATION * max(1.0, high):
        middle = 0.5 * (low + high)
        enough = feasible(replace(selection, min_weight=max(least - middle, 1e-15)))
        low, high = (low, middle) if enough else (middle, high)
    return high
