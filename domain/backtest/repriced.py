"""The plan of a backtest that differs from a prepared one in what a trade costs in proportion alone.

Dates, weights that are planned, and everything that is checked about them do not depend on such costs, so that many
backtests that differ in them are prepared once.
"""

from dataclasses import fields, replace
from operator import attrgetter

from domain.backtest.impact_rates import costs_as_arrays
from domain.backtest.planned_costs import planned_cost_warnings
from domain.backtest.preparation import BacktestPlan
from domain.backtest.simulation.arrays import Costs
from domain.backtest.specification import BacktestSpecification
from domain.costs.model import CostModel
from domain.warnings import ResultWarning

_beside_costs = attrgetter(*(one.name for one in fields(BacktestSpecification) if one.name != "costs"))
_beside_rates = attrgetter(*(one.name for one in fields(CostModel) if one.compare and one.name != "linear"))


def repriced(plan: BacktestPlan, specification: BacktestSpecification) -> BacktestPlan:
    """The plan of a specification that `differs_in_rates` alone from that of a plan.

    It simulates what the specification's own plan simulates, to the bit, and has its warnings.
    """
    costs = repriced_costs(plan, specification)
    inputs = tuple(one._replace(costs=costs) for one in plan.inputs)
    return replace(plan, specification=specification, inputs=inputs, warnings=repriced_warnings(plan, specification))


def differs_in_rates(plan: BacktestPlan, specification: BacktestSpecification) -> bool:
    """Whether a specification differs from that of a plan in proportional costs of all assets at most."""
    before = plan.specification
    return _is_same_beside_costs(before, specification) and _has_same_charges(before.costs, specification.costs)


def repriced_costs(plan: BacktestPlan, specification: BacktestSpecification) -> Costs:
    """What trades cost by such a specification."""
    return costs_as_arrays(
        specification.costs,
        plan.market.panel.symbols,
        None,
        charges_first_purchase=specification.charge_initial_purchase,
    )


def repriced_warnings(plan: BacktestPlan, specification: BacktestSpecification) -> tuple[ResultWarning, ...]:
    """The warnings of such a specification."""
    planned = planned_cost_warnings(specification)
    rest = plan.warnings[len(planned_cost_warnings(plan.specification)) :] if plan.warnings else ()
    return (*planned, *rest)


def _is_same_beside_costs(one: BacktestSpecification, other: BacktestSpecification) -> bool:
    try:
        return bool(_beside_costs(one) == _beside_costs(other))
    except ValueError:  # arrays, such as risk budgets, are not compared: the other one is prepared anew
        return False


def _has_same_charges(one: CostModel, other: CostModel) -> bool:
    """Whether two models without an impact differ in the rates of all assets alone."""
    if one.impact is not None or one.linear.by_symbol_bps != other.linear.by_symbol_bps:
        return False
    return bool(_beside_rates(one) == _beside_rates(other))
