"""Calls of OptimizationService."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
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
from absfin.data import MarketInput, input_fields, weights_to_proto
from absfin.errors import AbsFinanceError
from absfin.objectives import Objective
from absfin.queries.base import Rpc, StreamQuery, UnaryQuery
from absfin.requests import Account, account_request, new_request_id
from absfin.results import FrontierPoint, Optimization, OptimizationPage, outcome_of


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """What the calls that choose weights have in common, apart from the data and the objective."""

    constraints: Iterable[Constraint] = ()
    risk_measure: Measure = "variance"
    confidence_level: float | None = None  # of tail measures, in (0, 1); 0.95 if None
    estimation: Estimation | None = None
    missing_data: MissingData = "fail"

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
    request_id: str = ""  # a new one if empty

    def request(self) -> pb.OptimizeRequest:
        """One optimisation problem."""
        fields = self._fields()
        if self.ewma_half_life is not None:
            fields["estimation"] = _ewma(self.ewma_half_life)
        return pb.OptimizeRequest(
            **input_fields(self.data),
            **fields,
            objective=self.objective,
            current_weights=weights_to_proto(self.current_weights or {}),
            costs=self.costs,
            diagnose_estimation=self.diagnose_estimation,
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

    def request(self) -> Iterator[pb.OptimizeBatchRequest]:
        """What all accounts share, then each account."""
        spec = OptimizeSpec(**self._fields(), objective=self.objective, costs=self.costs)
        universe = pb.OptimizeBatchRequest.Universe(**input_fields(self.data), spec=spec)
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

    def request(self) -> pb.TraceFrontierRequest:
        """The frontier of a problem."""
        return pb.TraceFrontierRequest(**input_fields(self.data), **self._fields(), points=self.points)

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

    def request(self) -> pb.ListOptimizationsRequest:
        """The page."""
        return pb.ListOptimizationsRequest(page_size=self.page_size, page_token=self.page_token)

    def answer(self, response: pb.ListOptimizationsResponse) -> OptimizationPage:
        """The summaries of the page."""
        return OptimizationPage(tuple(response.optimizations), response.next_page_token)


def _ewma(half_life: float) -> Estimation:
    return Estimation(
        expected_returns=ExpectedReturnsEstimator(sample=SampleEstimator()),
        covariance=CovarianceEstimator(ewma=ExponentialWeighting(half_life=half_life)),
    )
