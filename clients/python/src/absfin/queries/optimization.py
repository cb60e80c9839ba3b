"""Calls of OptimizationService."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from itertools import chain
from typing import Any, ClassVar

from absfinance.v1 import optimization_service_pb2 as pb
from absfinance.v1.estimation_pb2 import (
    CovarianceEstimator,
    Estimation,
    ExpectedReturnsEstimator,
    ExponentialWeighting,
    SampleEstimator,
)
from absfinance.v1.optimization_pb2 import Optimization as OptimizationProto
from absfinance.v1.optimization_pb2 import OptimizeSpec
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from absfinance.v1.panel_pb2 import MissingDataPolicy
from absfinance.v1.risk_measure_pb2 import RiskMeasure

from absfin.choices import Measure, MissingData, choice
from absfin.constraints import Constraint
from absfin.costs import Costs
from absfin.data import MarketInput, groups_to_proto, input_fields, weights_to_proto
from absfin.errors import AbsFinanceError
from absfin.objectives import Objective
from absfin.queries.base import Rpc, StreamQuery, UnaryQuery
from absfin.requests import Account, account_request, new_request_id, timestamp
from absfin.results import FrontierPoint, Optimization, OptimizationPage, outcome_of
from absfin.solver import SolverOptions


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """What the calls that choose weights have in common, apart from the data and the objective."""

    constraints: Iterable[Constraint] = ()
    risk_measure: Measure = "variance"
    confidence_level: float | None = None  # of tail measures, in (0, 1); 0.95 if None
    estimation: Estimation | None = None
    missing_data: MissingData = "fail"
    groups: Mapping[str, Iterable[str]] | None = None  # name -> symbols, for constraints that name a group
    periods_per_year: float | None = None  # inferred from the dates of prices if None

    def __post_init__(self) -> None:
        choice(RiskMeasure, "risk_measure", self.risk_measure)
        choice(MissingDataPolicy, "missing_data", self.missing_data)

    def _fields(self) -> dict[str, Any]:
        """The fields of the request."""
        return {
            "constraints": self.constraints,
            "risk_measure": choice(RiskMeasure, "risk_measure", self.risk_measure),
            "confidence_level": self.confidence_level,
            "estimation": self.estimation,
            "missing_data": choice(MissingDataPolicy, "missing_data", self.missing_data),
            "groups": groups_to_proto(self.groups or {}),
        }


@dataclass(frozen=True)
class OptimizeQuery(_Problem, UnaryQuery[Optimization]):
    """Verified weights. Raises InvalidInput, InfeasibleProblem and the others of `absfin.errors`."""

    RPC: ClassVar = Rpc(OptimizationServiceStub, "Optimize")

    data: MarketInput
    objective: Objective
    _: KW_ONLY
    current_weights: Mapping[str, float] | None = None  # fractions of net asset value
    ewma_half_life: float | None = None  # periods; takes the place of `estimation`
    costs: Costs | None = None
    diagnose_estimation: bool = False
    solver: SolverOptions | None = None
    validate_only: bool = False  # only check the request: the answer has no weights and is not stored
    check_feasibility: bool = False  # with validate_only: also raise InfeasibleProblem
    label: str = ""  # for people; lists can be filtered by it
    optimization_id: str = ""  # the {id} of "optimizations/{id}"; chosen by the server if empty
    request_id: str = ""  # a new one if empty

    def request(self) -> pb.OptimizeRequest:
        """One optimisation problem."""
        fields = self._fields()
        if self.ewma_half_life is not None:
            fields["estimation"] = exponential_weighting(self.ewma_half_life)
        return pb.OptimizeRequest(
            **input_fields(self.data, self.periods_per_year),
            **fields,
            objective=self.objective,
            current_weights=weights_to_proto(self.current_weights or {}),
            costs=self.costs,
            diagnose_estimation=self.diagnose_estimation,
            solver=self.solver,
            validate_only=self.validate_only,
            check_feasibility=self.check_feasibility,
            label=self.label,
            optimization_id=self.optimization_id,
            request_id=self.request_id or new_request_id(),
        )

    def answer(self, response: OptimizationProto) -> Optimization:
        """The weights and their figures."""
        return Optimization.from_proto(response)


@dataclass(frozen=True)
class OptimizeBatchQuery(_Problem, StreamQuery[tuple[str, Optimization | AbsFinanceError]]):
    """Many accounts over the same data: the key of each with its result or its error, in the order they are found."""

    RPC: ClassVar = Rpc(OptimizationServiceStub, "OptimizeBatch")

    data: MarketInput
    objective: Objective
    accounts: Iterable[Account]
    _: KW_ONLY
    costs: Costs | None = None
    solver: SolverOptions | None = None

    def request(self) -> Iterator[pb.OptimizeBatchRequest]:
        """What all accounts share, then each account."""
        spec = OptimizeSpec(**self._fields(), objective=self.objective, costs=self.costs, solver=self.solver)
        universe = pb.OptimizeBatchRequest.Universe(**input_fields(self.data, self.periods_per_year), spec=spec)
        return chain([pb.OptimizeBatchRequest(universe=universe)], map(account_request, self.accounts))

    def answer(self, response: pb.OptimizeBatchResponse) -> tuple[str, Optimization | AbsFinanceError]:
        """The outcome of one account."""
        return outcome_of(response)


@dataclass(frozen=True)
class TraceFrontierQuery(_Problem, StreamQuery[FrontierPoint]):
    """Portfolios of the efficient frontier, from the highest return to the least risk, as they are found.

    `points` portfolios evenly spaced in return, or all corner portfolios where it is 0.
    """

    RPC: ClassVar = Rpc(OptimizationServiceStub, "TraceFrontier")

    data: MarketInput
    points: int = 0
    _: KW_ONLY
    current_weights: Mapping[str, float] | None = None  # fractions of net asset value, for turnover constraints

    def request(self) -> pb.TraceFrontierRequest:
        """The frontier of a problem."""
        return pb.TraceFrontierRequest(
            **input_fields(self.data, self.periods_per_year),
            **self._fields(),
            points=self.points,
            current_weights=weights_to_proto(self.current_weights or {}),
        )

    def answer(self, response: pb.TraceFrontierResponse) -> FrontierPoint:
        """One portfolio."""
        return FrontierPoint.from_proto(response)


@dataclass(frozen=True)
class GetOptimizationQuery(UnaryQuery[Optimization]):
    """A stored result by its name, "optimizations/{id}". Raises NotFound."""

    RPC: ClassVar = Rpc(OptimizationServiceStub, "GetOptimization")

    name: str

    def request(self) -> pb.GetOptimizationRequest:
        """The name."""
        return pb.GetOptimizationRequest(name=self.name)

    def answer(self, response: OptimizationProto) -> Optimization:
        """The weights and their figures."""
        return Optimization.from_proto(response)


@dataclass(frozen=True)
class ListOptimizationsQuery(UnaryQuery[OptimizationPage]):
    """A page of stored results, newest first."""

    RPC: ClassVar = Rpc(OptimizationServiceStub, "ListOptimizations")

    page_size: int = 50
    page_token: str = ""
    _: KW_ONLY
    label: str = ""
    start_create_time: datetime | None = None  # in UTC if without a time zone
    end_create_time: datetime | None = None
    all: bool = False  # those of everybody, for admins; each summary then has its owner

    def request(self) -> pb.ListOptimizationsRequest:
        """The page."""
        return pb.ListOptimizationsRequest(
            page_size=self.page_size,
            page_token=self.page_token,
            label=self.label,
            start_create_time=timestamp(self.start_create_time),
            end_create_time=timestamp(self.end_create_time),
            all=self.all,
        )

    def answer(self, response: pb.ListOptimizationsResponse) -> OptimizationPage:
        """The summaries of the page."""
        return OptimizationPage(tuple(response.optimizations), response.next_page_token)


@dataclass(frozen=True)
class DeleteOptimizationQuery(UnaryQuery[None]):
    """Removes a stored result. Raises NotFound."""

    RPC: ClassVar = Rpc(OptimizationServiceStub, "DeleteOptimization")

    name: str

    def request(self) -> pb.DeleteOptimizationRequest:
        """The name."""
        return pb.DeleteOptimizationRequest(name=self.name)

    def answer(self, response: pb.DeleteOptimizationResponse) -> None:
        """Nothing."""


def exponential_weighting(half_life: float) -> Estimation:
    """Sample means, and a covariance in which an observation counts half as much after `half_life` periods."""
    return Estimation(
        expected_returns=ExpectedReturnsEstimator(sample=SampleEstimator()),
        covariance=CovarianceEstimator(ewma=ExponentialWeighting(half_life=half_life)),
    )
