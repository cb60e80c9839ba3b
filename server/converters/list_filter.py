"""What a list shows, as the requests of all lists say it."""

from datetime import UTC, datetime

from absfinance.v1.backtest_service_pb2 import ListBacktestsRequest
from absfinance.v1.optimization_service_pb2 import ListOptimizationsRequest
from absfinance.v1.reallocation_service_pb2 import ListReallocationsRequest
from google.protobuf.timestamp_pb2 import Timestamp

from domain.errors import InvalidInput
from server.ports.jobs import JobState
from server.ports.list_filter import ListFilter


def list_filter_from_proto(
    request: ListOptimizationsRequest | ListBacktestsRequest | ListReallocationsRequest,
    *,
    subject: str = "",
    state: JobState | None = None,
    result_state: str = "",
) -> ListFilter:
    """The filter of a request. Raises InvalidInput for a time that is none, or an empty range of times."""
    start = _time(request, "start_create_time")
    end = _time(request, "end_create_time")
    if start is not None and end is not None and start >= end:
        raise InvalidInput("end_create_time", "must be later than start_create_time")
    return ListFilter(request.label, subject, state, start, end, result_state)


def _time(
    request: ListOptimizationsRequest | ListBacktestsRequest | ListReallocationsRequest, name: str
) -> datetime | None:
    if not request.HasField(name):
        return None
    value: Timestamp = getattr(request, name)
    try:
        return value.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(name, "must be a time between the years 1 and 9999") from None
