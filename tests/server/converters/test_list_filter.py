"""The filter of a list has the label and the half-open range of times that its request names."""

from datetime import UTC, datetime
from typing import Any

import pytest
from absfinance.v1.optimization_service_pb2 import ListOptimizationsRequest
from google.protobuf.timestamp_pb2 import Timestamp

from domain.errors import InvalidInput
from server.converters.list_filter import list_filter_from_proto
from server.ports.jobs import JobState
from server.ports.list_filter import EVERYTHING, ListFilter

EARLY, LATE = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)


def stamp(time: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(time)
    return found


def request(**fields: Any) -> ListOptimizationsRequest:
    return ListOptimizationsRequest(**fields)


def test_nothing_is_left_out_without_a_filter() -> None:
    assert list_filter_from_proto(request()) == EVERYTHING


def test_all_fields() -> None:
    found = list_filter_from_proto(
        request(label="l", start_create_time=stamp(EARLY), end_create_time=stamp(LATE)),
        subject="s",
        state=JobState.FAILED,
    )
    assert found == ListFilter("l", "s", JobState.FAILED, EARLY, LATE)


@pytest.mark.parametrize("end", [EARLY, datetime(2023, 1, 1, tzinfo=UTC)])
def test_an_empty_range(end: datetime) -> None:
    with pytest.raises(InvalidInput, match="must be later") as raised:
        list_filter_from_proto(request(start_create_time=stamp(EARLY), end_create_time=stamp(end)))
    assert raised.value.field == "end_create_time"


@pytest.mark.parametrize("name", ["start_create_time", "end_create_time"])
@pytest.mark.parametrize("seconds", [1 << 40, -(1 << 40)])
def test_a_time_that_is_none(name: str, seconds: int) -> None:
    with pytest.raises(InvalidInput, match="between the years") as raised:
        list_filter_from_proto(request(**{name: Timestamp(seconds=seconds)}))
    assert raised.value.field == name
