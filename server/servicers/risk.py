"""RiskService on the wire."""

from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest, AnalyzeRiskResponse
from absfinance.v1.risk_service_pb2_grpc import RiskServiceServicer

from server.converters.risk import risk_command_from_proto, risk_report_to_proto
from server.servicers.deadline import Context, deadline_of
from server.services.risk import Risk


class RiskServicer(RiskServiceServicer):
    """Maps the wire to the risk service and back."""

    def __init__(self, risk: Risk) -> None:
        self._risk = risk

    async def AnalyzeRisk(self, request: AnalyzeRiskRequest, context: Context) -> AnalyzeRiskResponse:
        """The report."""
        report = await self._risk.analyze(risk_command_from_proto(request), deadline_of(context))
        return risk_report_to_proto(report)
