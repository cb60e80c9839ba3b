"""Optimize where the request shows that the work is small: few assets, a quadratic program, nothing to estimate."""

from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.risk_measure_pb2 import RiskMeasure
from google.protobuf.message import DecodeError

from server.commands.stored import DataRequest, ReportKey
from server.converters.message import checked_message
from server.execution.control import Control
from server.execution.small_tasks import NotSmall
from server.ports.results import ResultDraft
from server.tasks.optimize import optimize_message
from server.tasks.refusing import locating, refusing

MOST_BYTES = 16 << 10
"""Of a request that may be small."""

MOST_ASSETS = 32
MOST_CONSTRAINTS = 8

_OBJECTIVES = frozenset({"min_risk", "max_utility"})
_CONSTRAINTS = frozenset({"weight_bounds", "group_bounds", "linear"})
_MEASURES = frozenset(
    {
        RiskMeasure.RISK_MEASURE_UNSPECIFIED,
        RiskMeasure.RISK_MEASURE_VARIANCE,
        RiskMeasure.RISK_MEASURE_STANDARD_DEVIATION,
    }
)
_FIELDS = frozenset(
    {
        "moments",
        "objective",
        "risk_measure",
        "constraints",
        "groups",
        "missing_data",
        "periods_per_year",
        "request_id",
        "validate_only",
        "label",
        "optimization_id",
    }
)


@refusing
@locating(OptimizeRequest)
def optimize_if_small(request: bytes, control: Control, report: ReportKey) -> ResultDraft | bytes:
    """As `optimize`. Raises NotSmall for a request that may take longer than a few milliseconds."""
    message = _small_message(request)
    answer = optimize_message(checked_message(message, len(request)), None, control, report)
    if isinstance(answer, DataRequest):
        raise NotSmall
    return answer


def _small_message(request: bytes) -> OptimizeRequest:
    if len(request) > MOST_BYTES:
        raise NotSmall
    try:
        message = OptimizeRequest.FromString(request)
    except DecodeError:
        raise NotSmall from None
    if not _is_small(message):
        raise NotSmall
    return message


def _is_small(message: OptimizeRequest) -> bool:
    return (
        {field.name for field, _ in message.ListFields()} <= _FIELDS
        and 0 < len(message.moments.symbols) <= MOST_ASSETS
        and message.objective.WhichOneof("kind") in _OBJECTIVES
        and message.risk_measure in _MEASURES
        and len(message.constraints) <= MOST_CONSTRAINTS
        and all(constraint.WhichOneof("kind") in _CONSTRAINTS for constraint in message.constraints)
    )
