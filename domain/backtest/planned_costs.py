"""The costs that strategies plan with, beside those that the simulation pays: one cost model unless a request has two.

A strategy that optimises with a cost is simulated with the same cost where the request gives none, and one that asks
for the costs of the simulation plans with them. Where both are given and differ, the result carries a warning.
"""

from collections.abc import Iterator
from dataclasses import replace

from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import Optimized, Strategy
from domain.backtest.strategies.nesting import with_inner
from domain.costs.impact import AlmgrenImpact
from domain.costs.model import CostModel
from domain.errors import NotSupported
from domain.warnings import ResultWarning

CODE = "COSTS_DIFFER"


def with_common_costs(specification: BacktestSpecification, *, given: bool) -> BacktestSpecification:
    """The specification with costs where one side has none; `given` says whether the request has costs to pay.

    Raises NotSupported for a strategy that plans with paid costs that an optimisation does not have.
    """
    if not given:
        own = [costs for strategy in specification.strategies for _, costs in _planned("", strategy)]
        if own and all(costs == own[0] for costs in own):
            specification = replace(specification, costs=own[0])
    paid = specification.costs
    if not any(_plans_with_paid_costs(strategy) for _, strategy in specification.strategies_by_path()):
        return specification

    def planning(path: str, strategy: Strategy) -> Strategy:
        if not isinstance(strategy, Optimized) or not _plans_with_paid_costs(strategy):
            return strategy
        _refuse_for_weights(f"{path}.costs", paid)
        return replace(strategy, specification=replace(strategy.specification, costs=paid))

    return specification.with_each(planning)


def _plans_with_paid_costs(strategy: Strategy) -> bool:
    return isinstance(strategy, Optimized) and strategy.plans_with_paid_costs


def planned_cost_warnings(specification: BacktestSpecification) -> tuple[ResultWarning, ...]:
    """A warning for each strategy that plans with other costs than the simulation pays."""
    return tuple(
        ResultWarning(
            CODE,
            f"{path}.costs",
            f"the strategy plans with {path}.costs and the simulation pays costs: they differ in {', '.join(names)}",
        )
        for outer, strategy in specification.outer_strategies()
        for path, planned in _planned(outer, strategy)
        if (names := _differences(planned, specification.costs))
    )


def _planned(path: str, strategy: Strategy) -> Iterator[tuple[str, CostModel]]:
    """Costs of their own that a strategy and those inside it plan with, each with the path of its strategy."""
    for inner_path, one in with_inner(strategy, path):
        if not isinstance(one, Optimized) or one.plans_with_paid_costs:
            continue
        if one.specification.costs is not None:
            yield inner_path, one.specification.costs


def _differences(planned: CostModel, paid: CostModel) -> list[str]:
    """Fields of the contract in which two models differ; how large an account is, is no difference of costs."""
    pairs = {
        "commission_bps": (planned.linear.commission_bps, paid.linear.commission_bps),
        "half_spread_bps": (planned.linear.half_spread_bps, paid.linear.half_spread_bps),
        "by_asset": (
            (dict(planned.linear.by_symbol_bps), dict(planned.borrow_by_symbol)),
            (dict(paid.linear.by_symbol_bps), dict(paid.borrow_by_symbol)),
        ),
        "impact": (planned.impact, paid.impact),
        "fixed_fee": (planned.fixed_fee, paid.fixed_fee),
        "borrow_bps_annual": (planned.borrow_rate_annual, paid.borrow_rate_annual),
        "commission_per_share": (planned.commission_per_unit, paid.commission_per_unit),
        "min_commission": (planned.least_commission, paid.least_commission),
        "max_commission": (planned.most_commission, paid.most_commission),
    }
    found = [name for name, (one, other) in pairs.items() if one != other]
    if planned.impact is not None and paid.impact is not None:
        both = planned.liquidity.keys() & paid.liquidity.keys()
        if any(planned.liquidity[symbol] != paid.liquidity[symbol] for symbol in both):
            found.append("liquidity")
    return found


def _refuse_for_weights(path: str, paid: CostModel) -> None:
    """Raises NotSupported for paid costs that weights cannot be chosen with."""
    unknown = {
        "impact.almgren": isinstance(paid.impact, AlmgrenImpact),
        "commission_per_share": paid.commission_per_unit > 0.0,
        "min_commission": paid.least_commission > 0.0,
        "max_commission": paid.most_commission is not None,
        "by_asset.borrow_bps_annual": bool(paid.borrow_by_symbol),
    }
    for name, is_there in unknown.items():
        if is_there:
            raise NotSupported(
                f"{path} is empty and so takes costs, whose {name} is not supported in an optimisation; "
                f"give {path} a field of its own",
                field=path,
            )
