"""The net expected return as a concave expression of a conic program."""

import numpy as np

from domain.checks import Matrix
from domain.costs.trading import TradingCosts
from domain.optimization.conic.conic_problem import ConicProblem
from domain.optimization.problem.net_return import (
    BoxDeduction,
    Deduction,
    EllipsoidDeduction,
    NetReturn,
    TradingDeduction,
)
from domain.optimization.programs.affine import Affine


def net_return_expression(conic: ConicProblem, net_return: NetReturn, scale: float) -> Affine:
    """An expression that is at most the net return, in units of `scale`."""
    result = conic.weights.total(net_return.by_asset / scale) - conic.kappa.times(net_return.constant / scale)
    for deduction in net_return.deductions:
        result = result - _deduction(conic, deduction).times(1.0 / scale)
    return result


def _deduction(conic: ConicProblem, deduction: Deduction) -> Affine:
    """An expression that is at least the deduction, per year."""
    match deduction:
        case TradingDeduction(costs):
            return _trading(conic, costs)
        case BoxDeduction(radii):
            return _absolute(conic, conic.weights).total(radii)
        case EllipsoidDeduction(root):
            return _norm(conic, root)


def _trading(conic: ConicProblem, costs: TradingCosts) -> Affine:
    impact = np.zeros_like(costs.rates) if costs.impact is None else costs.impact
    total = conic.kappa.times(costs.paid)
    # A trade that costs nothing gets no variable: nothing would bound it.
    if len(priced := np.flatnonzero((costs.rates > 0.0) | (impact > 0.0))):
        change = conic.weights.at(priced) - conic.kappa.times(costs.current[priced])
        trades = _absolute(conic, change)
        total = total + trades.total(costs.rates[priced])
        if len(moved := np.flatnonzero(impact[priced] > 0.0)):
            total = total + _three_halves(conic, trades.at(moved)).total(impact[priced][moved])
    if costs.borrow_rate_annual > 0.0:
        short = conic.model.positive(len(conic.weights))
        conic.model.nonnegative(short + conic.weights)
        total = total + short.total().times(costs.borrow_rate_annual)
    return total


def _norm(conic: ConicProblem, root: Matrix) -> Affine:
    scale = float(np.abs(root).max()) or 1.0
    bound = conic.model.variables(1)
    conic.model.second_order(bound, conic.weights.under(root / scale))
    return bound.times(scale)


def _three_halves(conic: ConicProblem, trades: Affine) -> Affine:
    """At least kappa (trade / kappa)^1.5, by trade^2 <= result root and root^2 <= trade kappa."""
    result, root = conic.model.variables(len(trades)), conic.model.variables(len(trades))
    conic.model.products(trades, result, root)
    conic.model.products(root, trades, conic.kappa)
    return result


def _absolute(conic: ConicProblem, expressions: Affine) -> Affine:
    """At least the absolute value of each expression."""
    magnitude = conic.model.positive(len(expressions))
    conic.model.nonnegative(magnitude - expressions)
    conic.model.nonnegative(magnitude + expressions)
    return magnitude
