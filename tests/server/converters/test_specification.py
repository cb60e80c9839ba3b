"""What a request wants beside its data, and the defaults of what is left out."""

from typing import Any

import pytest
from absfinance.v1.optimization_pb2 import OptimizeSpec
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from google.protobuf import json_format

from domain.costs.linear import LinearCost
from domain.errors import InvalidInput
from domain.estimation.covariance import SemiCovariance
from domain.market_data.missing import MissingDataPolicy
from domain.optimization.request.constraints import ReturnFloor
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.request.specification import Specification
from domain.risk.measures import RiskMeasure
from server.converters.specification import specification_from_proto

GOAL = {"objective": {"minRisk": {}}}
HELD = [{"symbol": "A", "weight": 1.0}]


def converted(kind: type[OptimizeRequest] | type[OptimizeSpec] = OptimizeRequest, **fields: Any) -> Specification:
    return specification_from_proto(json_format.ParseDict(GOAL | fields, kind()), periods_per_year=12.0)


@pytest.mark.parametrize("kind", [OptimizeRequest, OptimizeSpec])
def test_few_fields(kind: type[OptimizeRequest] | type[OptimizeSpec]) -> None:
    found = converted(kind)
    assert (found.objective, found.risk_measure, found.confidence_level) == (MinRisk(), RiskMeasure.VARIANCE, 0.95)
    assert (found.constraints, found.current_weights, found.costs) == ((), None, None)
    assert (found.missing_data, found.periods_per_year) == (MissingDataPolicy.FAIL, 12.0)
    assert (found.options, dict(found.groups)) == (SolverOptions(), {})


@pytest.mark.parametrize("kind", [OptimizeRequest, OptimizeSpec])
def test_many_fields(kind: type[OptimizeRequest] | type[OptimizeSpec]) -> None:
    found = converted(
        kind,
        riskMeasure="RISK_MEASURE_CONDITIONAL_VALUE_AT_RISK",
        confidenceLevel=0.9,
        constraints=[{"returnFloor": {"minReturnAnnual": 0.01}}, {"label": "x", "returnFloor": {"minReturnAnnual": 0}}],
        groups=[{"name": "g", "symbols": ["A"]}],
        estimation={"covariance": {"semi": {}}},
        missingData="MISSING_DATA_POLICY_DROP_DATES",
    )
    assert (found.risk_measure, found.confidence_level) == (RiskMeasure.CONDITIONAL_VALUE_AT_RISK, 0.9)
    assert found.constraints == (ReturnFloor("constraints[0]", 0.01), ReturnFloor("x", 0.0))
    assert (dict(found.groups), found.missing_data) == ({"g": ("A",)}, MissingDataPolicy.DROP_DATES)
    assert found.estimation.covariance == SemiCovariance()


def test_costs_of_leaving_what_is_held() -> None:
    costs = {"commissionBps": 3.0}
    found = converted(costs=costs, currentWeights=HELD)
    assert found.costs is not None
    assert (found.costs.linear, found.current_weights) == (LinearCost(3.0), {"A": 1.0})
    with pytest.raises(InvalidInput):
        converted(costs=costs)
    assert converted(OptimizeSpec, costs=costs).costs is not None, "a backtest knows what it holds"


@pytest.mark.parametrize(
    ("solver", "options"),
    [
        ({"timeLimit": "2.5s"}, SolverOptions(time_limit_seconds=2.5)),
        ({"tolerance": 1e-6}, SolverOptions(tolerance=1e-6)),
        ({"engine": "ENGINE_FAST"}, SolverOptions(engine=EnginePreference.FAST)),
        ({"engine": "ENGINE_RISKFOLIO"}, SolverOptions(engine=EnginePreference.RISKFOLIO)),
        ({"engine": "ENGINE_AUTO"}, SolverOptions(engine=EnginePreference.AUTO)),
    ],
)
def test_solver_options(solver: dict[str, Any], options: SolverOptions) -> None:
    assert converted(solver=solver).options == options
