"""Removes from a specification the assets that have become worthless: they can be neither bought nor sold."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypeVar

from domain.costs.model import CostModel
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    GroupBounds,
    Linear,
    RiskContributionBounds,
    WeightBounds,
)
from domain.optimization.request.objectives import Objective
from domain.optimization.request.specification import (
    CardinalityOfGroup,
    ConstraintBySymbol,
    GroupReference,
    ObjectiveBySymbol,
    RelaxedBudgetBySymbol,
    RiskBudgetBySymbol,
    Specification,
    TrackingBySymbol,
    TrackingErrorBySymbol,
)

V = TypeVar("V")


def without_symbols(specification: Specification, gone: Collection[str]) -> Specification:
    """The specification without the bounds, terms, budgets and benchmark weights of the symbols that are gone.

    A constraint on those symbols alone is left out. Views, factors and limits by similarity stay as they are: where
    they name a symbol that is gone, the optimiser rejects the problem and names the symbol.
    """
    groups = {name: _names(members, gone) for name, members in specification.groups.items()}
    constraints = (_constraint(one, gone) for one in specification.constraints if not _of_none(one, groups))
    return replace(
        specification,
        objective=_objective(specification.objective, gone),
        constraints=tuple(one for one in constraints if one is not None),
        groups={name: members for name, members in groups.items() if members},
        costs=None if specification.costs is None else _costs(specification.costs, gone),
    )


def _constraint(one: Constraint | ConstraintBySymbol, gone: Collection[str]) -> Constraint | ConstraintBySymbol | None:
    match one:
        case WeightBounds() | Cardinality() | RiskContributionBounds() | GroupBounds() if one.symbols:
            left = _names(one.symbols, gone)
            return replace(one, symbols=left) if left else None
        case Linear():
            terms = _entries(one.terms, gone)
            return replace(one, terms=terms) if terms else None
        case TrackingErrorBySymbol():
            return replace(one, benchmark=_entries(one.benchmark, gone))
    return one


def _of_none(one: Constraint | ConstraintBySymbol, groups: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether it constrains a group without members."""
    return isinstance(one, GroupReference | CardinalityOfGroup) and groups.get(one.group) == ()


def _objective(objective: Objective | ObjectiveBySymbol, gone: Collection[str]) -> Objective | ObjectiveBySymbol:
    match objective:
        case RiskBudgetBySymbol() | RelaxedBudgetBySymbol():
            return replace(objective, budgets=_entries(objective.budgets, gone))
        case TrackingBySymbol():
            return replace(objective, benchmark=_entries(objective.benchmark, gone))
    return objective


def _costs(costs: CostModel, gone: Collection[str]) -> CostModel:
    linear = replace(costs.linear, by_symbol_bps=_entries(costs.linear.by_symbol_bps, gone))
    return replace(costs, linear=linear, liquidity=_entries(costs.liquidity, gone))


def _names(symbols: tuple[str, ...], gone: Collection[str]) -> tuple[str, ...]:
    return tuple(symbol for symbol in symbols if symbol not in gone)


def _entries(by_symbol: Mapping[str, V], gone: Collection[str]) -> dict[str, V]:
    return {symbol: value for symbol, value in by_symbol.items() if symbol not in gone}
