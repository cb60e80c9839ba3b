"""RiskService on the wire."""

from collections.abc import AsyncIterator

from absfinance.v1.risk_service_pb2 import (
    AnalyzeRiskRequest,
    AnalyzeRiskResponse,
    EstimateRiskModelRequest,
    EstimateRiskModelResponse,
)
from absfinance.v1.risk_service_pb2_grpc import RiskServiceServicer

from server.converters.risk import risk_command_from_proto, risk_model_command_from_proto
from server.converters.risk_model import risk_model_to_proto
from server.converters.risk_report import assessment_to_proto
from server.servicers.deadline import Context, deadline_of
from server.services.risk import Risk


class RiskServicer(RiskServiceServicer):
    """Maps the wire to the risk service and back."""

    def __init__(self, risk: Risk) -> None:
        self._risk = risk

    async def AnalyzeRisk(self, request: AnalyzeRiskRequest, context: Context) -> AnalyzeRiskResponse:
        """The report."""
        command = risk_command_from_proto(request)
        assessment = await self._risk.analyze(command, deadline_of(context))
        return assessment_to_proto(assessment, drawdown_series=command.drawdown_series)

    async def EstimateRiskModel(
        self, request: EstimateRiskModelRequest, context: Context
    ) -> AsyncIterator[EstimateRiskModelResponse]:
        """Diagnostics, then arrays."""
        estimated = await self._risk.estimate(risk_model_command_from_proto(request), deadline_of(context))
        for piece in risk_model_to_proto(estimated):
            yield piece
