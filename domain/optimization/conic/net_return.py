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


def net_return_expression(made: ConicProblem, net_return: NetReturn, scale: float) -> Affine:
    """An expression that is at most the net return, in units of `scale`."""
    result = made.weights.total(net_return.by_asset / scale) - made.kappa.times(net_return.constant / scale)
    for deduction in net_return.deductions:
        result = result - _deduction(made, deduction).times(1.0 / scale)
    return result


def _deduction(made: ConicProblem, deduction: Deduction) -> Affine:
    """An expression that is at least the deduction, per year."""
    match deduction:
        case TradingDeduction(costs):
            return _trading(made, costs)
        case BoxDeduction(radii):
            return _absolute(made, made.weights).total(radii)
        case EllipsoidDeduction(root):
            return _norm(made, root)


def _trading(made: ConicProblem, costs: TradingCosts) -> Affine:
    impact = np.zeros_like(costs.rates) if costs.impact is None else costs.impact
    total = made.kappa.times(costs.paid)
    # A trade that costs nothing gets no variable: nothing would bound it.
    if len(priced := np.flatnonzero((costs.rates > 0.0) | (impact > 0.0))):
        change = made.weights.at(priced) - made.kappa.times(costs.current[priced])
        trades = _absolute(made, change)
        total = total + trades.total(costs.rates[priced])
        if len(moved := np.flatnonzero(impact[priced] > 0.0)):
            total = total + _three_halves(made, trades.at(moved)).total(impact[priced][moved])
    if costs.borrow_rate_annual > 0.0:
        short = made.model.positive(len(made.weights))
        made.model.nonnegative(short + made.weights)
        total = total + short.total().times(costs.borrow_rate_annual)
    return total


def _norm(made: ConicProblem, root: Matrix) -> Affine:
    scale = float(np.abs(root).max()) or 1.0
    bound = made.model.variables(1)
    made.model.second_order(bound, made.weights.under(root / scale))
    return bound.times(scale)


def _three_halves(made: ConicProblem, trades: Affine) -> Affine:
    """At least kappa (trade / kappa)^1.5, by trade^2 <= result root and root^2 <= trade kappa."""
    result, root = made.model.variables(len(trades)), made.model.variables(len(trades))
    made.model.products(trades, result, root)
    made.model.products(root, trades, made.kappa)
    return result


def _absolute(made: ConicProblem, expressions: Affine) -> Affine:
    """At least the absolute value of each expression."""
    magnitude = made.model.positive(len(expressions))
    made.model.nonnegative(magnitude - expressions)
    made.model.nonnegative(magnitude + expressions)
    return magnitude
