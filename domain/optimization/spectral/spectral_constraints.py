"""Limits on spectral risks, met by cutting planes around the method that solves the rest.

Weights that break such a limit are cut off by the q-mean loss that shows it (see `cutting_planes`), a linear limit
under the same label, and the rest is solved again. No weights that keep the limit are ever cut off, so the bound of the
last answer is one of the whole problem.
"""

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np

from domain.cancellation import never_cancelled
from domain.checks import Vector
from domain.errors import SolverFailed, SolverTimedOut
from domain.optimization.conic.risk_epigraphs import SPECTRAL_ONLY
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import Box, RiskCap, Row
from domain.optimization.problem.selection_limits import SelectionLimit
from domain.optimization.programs.charnes_cooper import RisklessPortfolio
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.solution import Binding, BoundSide, Candidate, Engine
from domain.optimization.spectral.spectral_risk import minimum_spectral_risk, spectral_risk_of

MISS = 1e-9
"""A limit missed by no more than this is met, or by less than its millionth part where that is smaller."""

ROUNDS = 2000

EXPLORATION_SECONDS = 10.0
AROUND = 10.0


def within_spectral_constraints(
    limits: FeasibleSet,
    solved: Callable[[FeasibleSet], Candidate | None],
    check_cancelled: Callable[[], None],
    *,
    scaled: bool = True,
) -> Candidate | None:
    """The answer of `solved` within all limits: it is given the cuts of the spectral limits in their place.

    Cuts are scaled by the risk of a typical asset, or not, where limits are to be widened in their own units.
    """
    caps = [cap for cap in limits.risk_caps if cap.risk.measure in SPECTRAL_ONLY]
    if not caps:
        return solved(limits)
    kept = [
        limit for limit in limits.limits if not isinstance(limit, RiskCap) or limit.risk.measure not in SPECTRAL_ONLY
    ]
    for _ in range(ROUNDS):
        check_cancelled()
        rows = [_scaled(row, cap.risk.scale if scaled else 1.0) for cap in caps for row in cap.cuts]
        try:
            found = solved(FeasibleSet(limits.symbols, (*kept, *rows)))
        except RisklessPortfolio as riskless:
            found = _candidate_to_cut(riskless, caps)
        if found is None:
            return None
        missed = [cap for cap in caps if _is_violated(cap, found)]
        if not missed:
            return replace(found, binding=_merge_bindings(found.binding, {cap.label: cap.risk.scale for cap in caps}))
        for cap in missed:
            cap.cuts.append(_cut(cap, found))
    raise SolverFailed(f"{ROUNDS} cuts do not hold {', '.join(cap.label for cap in caps)}")


def _candidate_to_cut(riskless: RisklessPortfolio, caps: Collection[RiskCap]) -> Candidate:
    """Riskless weights of a ratio that break a limit. Raises the reason where they break none."""
    if riskless.weights is None:
        raise riskless
    found = Candidate(riskless.weights, Engine.FAST, "riskless")
    if not any(_is_violated(cap, found) for cap in caps):
        raise riskless
    return found


def explore_spectral_constraints(
    limits: FeasibleSet, labels: Collection[str], check_cancelled: Callable[[], None] = never_cancelled
) -> Vector | None:
    """Weights with about the least risk that the linear limits leave to one of the caps under these labels.

    What is found on the way shows the caps in further programs, which would come upon it one by one.
    """
    weights = None
    linear = tuple(limit for limit in limits.limits if not isinstance(limit, RiskCap | SelectionLimit))
    # Where something is left out to see whether it is what conflicts, the rest may not be bounded.
    around = Box("", np.full(limits.n_assets, -AROUND), np.full(limits.n_assets, AROUND))
    for cap in limits.risk_caps:
        if cap.label not in labels or cap.risk.measure not in SPECTRAL_ONLY:
            continue
        check_cancelled()
        risk = spectral_risk_of(cap.risk)
        rest = FeasibleSet(limits.symbols, (*linear, around))
        control = SolverControl.for_seconds(EXPLORATION_SECONDS, check_cancelled)
        try:
            proof = minimum_spectral_risk(rest, risk, control)
        except (SolverFailed, SolverTimedOut):
            continue
        if proof is not None:
            cap.cuts.extend(_row(cap, gradient * risk.scale) for gradient in proof.found.gradients)
            weights = proof.weights
    return weights


def _is_violated(cap: RiskCap, found: Candidate) -> bool:
    """Whether the risk is above the limit, and above what the cuts know of it: where a limit may give way, both."""
    known = max((float(row.coefficients @ found.weights) for row in cap.cuts), default=cap.maximum)
    allowed = min(MISS, MISS * 1e3 * abs(cap.maximum))
    return cap.value(found.weights) > max(known, cap.maximum) + allowed


def _cut(cap: RiskCap, found: Candidate) -> Row:
    risk = spectral_risk_of(cap.risk)
    _, gradient = risk.cutting_planes.cut(found.weights)
    return _row(cap, gradient * risk.scale)


def _row(cap: RiskCap, gradient: Vector) -> Row:
    return Row(cap.label, gradient, -np.inf, cap.maximum)


def _scaled(row: Row, unit: float) -> Row:
    return Row(row.label, row.coefficients / unit, row.lower, row.upper / unit)


def _merge_bindings(binding: tuple[Binding, ...], units: dict[str, float]) -> tuple[Binding, ...]:
    """A limit once, its price the sum of those of its cuts."""
    prices: dict[str, float] = {}
    for one in binding:
        if one.label in units and one.symbol is None:
            prices[one.label] = prices.get(one.label, 0.0) + (one.shadow_price or 0.0) / units[one.label]
    others = tuple(one for one in binding if one.label not in prices)
    return (*others, *(Binding(label, None, BoundSide.UPPER, price) for label, price in prices.items()))
