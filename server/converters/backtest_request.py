"""The specification of a backtest, from its request."""

from dataclasses import replace

from absfinance.v1 import backtest_pb2
from absfinance.v1.backtest_service_pb2 import BacktestRequest

from domain.backtest.planned_costs import with_common_costs
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol, Conventions, Fill
from domain.backtest.strategies import Blend, Strategy
from domain.costs.holding import HoldingCosts
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from server.converters.attribution import attribution_request_from_proto
from server.converters.cash_flow import cash_flows_from_proto, recurring_from_proto
from server.converters.corporate_action import (
    corporate_actions_from_proto,
    delisting_policy_from_proto,
    dividend_policy_from_proto,
    price_basis_from_proto,
)
from server.converters.cost import simulated_costs_from_proto
from server.converters.market_input import missing_data_from_proto
from server.converters.paths import error_path, require_unique
from server.converters.rebalancing import rebalancing_from_proto
from server.converters.statistical_validation import validation_settings_from_proto
from server.converters.strategy import strategy_from_proto
from server.converters.universe import universe_from_proto
from server.converters.weights import optional_field

_FILLS = {
    backtest_pb2.FILL_UNSPECIFIED: Fill.NEXT_CLOSE,
    backtest_pb2.FILL_NEXT_CLOSE: Fill.NEXT_CLOSE,
    backtest_pb2.FILL_NEXT_OPEN: Fill.NEXT_OPEN,
    backtest_pb2.FILL_SAME_CLOSE: Fill.SAME_CLOSE,
}
_CONVENTIONS = {
    backtest_pb2.CONVENTIONS_UNSPECIFIED: Conventions.EXACT,
    backtest_pb2.CONVENTIONS_EXACT: Conventions.EXACT,
    backtest_pb2.CONVENTIONS_BT: Conventions.BT,
    backtest_pb2.CONVENTIONS_VECTORBT: Conventions.VECTORBT,
}


def backtest_specification_from_proto(request: BacktestRequest) -> BacktestSpecification:
    """Everything of a request but its data. Raises InvalidInput or NotSupported."""
    return SpecificationsInTurn().of(request)


MOST_SPECIFICATIONS = 8
"""That are kept for requests with other costs: as many as a sweep keeps plans of."""


class SpecificationsInTurn:
    """Specifications of requests one after the other: those that differ in costs alone share the rest.

    The rest is converted once, and trials of a sweep are seen to share it: arrays in a strategy, such as risk budgets,
    are not compared, but what is the same object is equal.
    """

    def __init__(self) -> None:
        # Before costs that are common to it and its strategies, by the request without its costs, the latest last.
        self._kept: dict[bytes, BacktestSpecification] = {}

    def of(self, request: BacktestRequest) -> BacktestSpecification:
        """Everything of a request but its data. Raises InvalidInput or NotSupported."""
        costs, holding_costs = simulated_costs_from_proto(request.costs)
        without_costs = _without_costs(request)
        known = self._kept.pop(without_costs, None)
        if known is None:
            found = _specification(request, costs, holding_costs)
        else:
            found = replace(known, costs=costs, holding_costs=holding_costs)
        self._kept[without_costs] = found
        if len(self._kept) > MOST_SPECIFICATIONS:
            del self._kept[next(iter(self._kept))]
        return with_common_costs(found, given=request.HasField("costs"))


def _without_costs(request: BacktestRequest) -> bytes:
    rest = BacktestRequest()
    rest.CopyFrom(request)
    rest.ClearField("costs")
    encoded: bytes = rest.SerializeToString(deterministic=True)
    return encoded


def _specification(request: BacktestRequest, costs: CostModel, holding_costs: HoldingCosts) -> BacktestSpecification:
    analysis = request.analysis
    _check_holdings(request)
    specification = BacktestSpecification(
        strategies=tuple(_at(path, strategy) for path, strategy in _named(request)),
        rebalancing=rebalancing_from_proto(request.rebalancing),
        fill=_FILLS[request.execution.fill],
        lag_periods=request.execution.lag_periods,
        max_participation=optional_field(request.execution, "max_participation"),
        costs=costs,
        holding_costs=holding_costs,
        charge_initial_purchase=request.charge_initial_purchase if _has(request, "charge_initial_purchase") else True,
        initial_capital=_initial_capital(request),
        initial_holdings={holding.symbol: holding.quantity for holding in request.initial_holdings},
        fractional_holdings=request.fractional_holdings if _has(request, "fractional_holdings") else True,
        cash_flows=cash_flows_from_proto(request.cash_flows),
        recurring_cash_flows=recurring_from_proto(request.recurring_cash_flows),
        corporate_actions=corporate_actions_from_proto("corporate_actions", request.corporate_actions),
        price_basis=price_basis_from_proto(request.price_basis),
        dividend_policy=dividend_policy_from_proto(request.dividend_policy),
        withholding_rate=request.withholding_rate,
        delisting_policy=delisting_policy_from_proto(request.delisting_policy),
        maintenance_ratio=request.margin.maintenance_ratio if request.HasField("margin") else None,
        conventions=_CONVENTIONS[request.conventions],
        universe=universe_from_proto(request.universe),
        benchmarks=tuple(_benchmark(i, benchmark) for i, benchmark in enumerate(request.benchmarks)),
        missing_data=missing_data_from_proto(request.missing_data),
        periods_per_year=optional_field(request, "periods_per_year"),
        risk_free_rate_annual=optional_field(analysis, "risk_free_rate_annual"),
        minimum_acceptable_return_annual=analysis.minimum_acceptable_return_annual,
        attribution=attribution_request_from_proto(analysis.attribution) if analysis.HasField("attribution") else None,
        validation=validation_settings_from_proto(request),
        listed=not request.HasField("strategy"),
    )
    _refuse_unused_schedule(request, specification)
    return specification


def _named(request: BacktestRequest) -> list[tuple[str, backtest_pb2.Strategy]]:
    """Strategies with their paths."""
    if request.HasField("strategy"):
        return [("strategy", request.strategy)]
    return [(f"strategies[{i}]", strategy) for i, strategy in enumerate(request.strategies)]


def _initial_capital(request: BacktestRequest) -> float:
    if request.HasField("initial_capital"):
        return request.initial_capital
    return 0.0 if request.initial_holdings else 1.0


def _check_holdings(request: BacktestRequest) -> None:
    """Raises InvalidInput for holdings named twice or with tax lots, and for whole units of no given amount."""
    require_unique("initial_holdings", [holding.symbol for holding in request.initial_holdings])
    for i, holding in enumerate(request.initial_holdings):
        if holding.lots:
            raise InvalidInput(f"initial_holdings[{i}].lots", "must be left out: a backtest pays no tax on gains")
    whole = _has(request, "fractional_holdings") and not request.fractional_holdings
    if whole and not request.initial_holdings and not request.HasField("initial_capital"):
        raise InvalidInput(
            "initial_capital", "must be given without fractional_holdings: it says how many whole units can be bought"
        )


def _refuse_unused_schedule(request: BacktestRequest, specification: BacktestSpecification) -> None:
    """Raises InvalidInput for dates of the request where every blend and each of its parts has dates of its own."""
    schedule = request.rebalancing.WhichOneof("schedule")
    if schedule is not None and all(_has_own_dates(one) for _, one in specification.outer_strategies()):
        rule = "has no effect: the blend and each of its parts have dates of their own"
        raise InvalidInput(f"rebalancing.{schedule}", rule)


def _has_own_dates(strategy: Strategy) -> bool:
    """Whether a strategy and each one inside it decides on dates that are not those of the request."""
    if not isinstance(strategy, Blend) or strategy.rebalancing is None:
        return False
    return all(part.rebalancing is not None for part in strategy.parts)


def _has(request: BacktestRequest, name: str) -> bool:
    return request.HasField(name)


def _at(path: str, strategy: backtest_pb2.Strategy) -> Strategy:
    """A strategy of a backtest: it may borrow, as the account may for a fee or a withdrawal; the result says so."""
    with error_path(path):
        return strategy_from_proto(strategy, leveraged=True)


def _benchmark(i: int, benchmark: backtest_pb2.Benchmark) -> BenchmarkSymbol | Strategy:
    if benchmark.WhichOneof("kind") == "symbol":
        return BenchmarkSymbol(benchmark.symbol, benchmark.label)
    strategy = backtest_pb2.Strategy()
    strategy.CopyFrom(benchmark.strategy)
    kind = strategy.WhichOneof("kind") or ""
    # Its own name must differ from that of a strategy of the same kind.
    strategy.label = benchmark.label or strategy.label or f"benchmark {kind}"
    return _at(f"benchmarks[{i}].strategy", strategy)
