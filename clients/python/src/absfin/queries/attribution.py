"""Attribution of given weights and returns."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from absfinance.v1 import attribution_pb2
from absfinance.v1 import risk_service_pb2 as pb
from absfinance.v1.risk_service_pb2_grpc import RiskServiceStub

from absfin.attribution import Attribution, FactorExposures
from absfin.choices import AttributionModel, Linking, choice
from absfin.data import panel_of
from absfin.queries.base import Rpc, UnaryQuery


@dataclass(frozen=True)
class AttributeQuery(UnaryQuery[Attribution]):
    """Divides the excess return of a portfolio over a benchmark by segment and period.

    The four tables are Panels or pandas frames with the same dates and a column for each segment; weights are those at
    the start of each period. A return may be NaN where its weight is 0.
    """

    RPC: ClassVar = Rpc(RiskServiceStub, "Attribute")

    portfolio_weights: Any
    benchmark_weights: Any
    portfolio_returns: Any
    benchmark_returns: Any
    _: KW_ONLY
    model: AttributionModel = "brinson_fachler"
    linking: Linking = "carino"
    separate_interaction: bool = False
    without_periods: bool = False  # needed where the effects of all periods do not fit into one answer
    factors: FactorExposures | None = None  # the segments are then assets
    regression_factors: Any = None  # a Panel or frame of returns of factors

    def __post_init__(self) -> None:
        choice(attribution_pb2.AttributionModel, "model", self.model)
        choice(attribution_pb2.Linking, "linking", self.linking)

    def request(self) -> pb.AttributeRequest:
        """One attribution."""
        regression = self.regression_factors
        model: Any = choice(attribution_pb2.AttributionModel, "model", self.model)
        linking: Any = choice(attribution_pb2.Linking, "linking", self.linking)
        return pb.AttributeRequest(
            portfolio_weights=panel_of(self.portfolio_weights).to_proto(),
            benchmark_weights=panel_of(self.benchmark_weights).to_proto(),
            portfolio_returns=panel_of(self.portfolio_returns).to_proto(),
            benchmark_returns=panel_of(self.benchmark_returns).to_proto(),
            model=model,
            linking=linking,
            separate_interaction=self.separate_interaction,
            without_periods=self.without_periods,
            factors=self.factors,
            regression_factors=None if regression is None else panel_of(regression).to_proto(),
        )

    def answer(self, response: pb.AttributeResponse) -> Attribution:
        """The effects."""
        return Attribution.from_proto(response)
