"""The audit log on the wire, and what of a call goes into it: names alone."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from absfinance.v1 import (
    admin_service_pb2,
    backtest_service_pb2,
    event_service_pb2,
    liquidity_service_pb2,
    market_data_service_pb2,
    optimization_service_pb2,
    portfolio_service_pb2,
    reallocation_service_pb2,
    risk_service_pb2,
    strategy_service_pb2,
)
from absfinance.v1.admin_service_pb2 import ListAuditEventsRequest, ListAuditEventsResponse
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from domain.errors import InvalidInput
from server.converters.wire_texts import text_at
from server.ports.audit import AuditFilter, AuditPage, AuditRecord
from server.ports.resource_names import resource_or_nothing

_MODULES = (
    admin_service_pb2, backtest_service_pb2, event_service_pb2, liquidity_service_pb2, market_data_service_pb2,
    optimization_service_pb2, portfolio_service_pb2, reallocation_service_pb2, risk_service_pb2, strategy_service_pb2,
)  # fmt: skip


def _path(message: Descriptor, *names: str) -> tuple[int, ...]:
    """The numbers of fields that lead to a text; empty where there is none."""
    path = []
    inside: Descriptor | None = message
    for name in names:
        if inside is None or name not in inside.fields_by_name:
            return ()
        path.append(inside.fields_by_name[name].number)
        inside = inside.fields_by_name[name].message_type
    return tuple(path)


def _changing_methods() -> Iterable[MethodDescriptor]:
    for module in _MODULES:
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                if method.GetOptions().idempotency_level != MethodOptions.NO_SIDE_EFFECTS:
                    yield method


def _request_path(method: MethodDescriptor) -> tuple[int, ...]:
    if method.client_streaming:
        return ()
    found = (_path(method.input_type, *names) for names in (("name",), ("reallocation",), ("portfolio", "name")))
    return next((path for path in found if path), ())


_PATHS: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    f"/{method.containing_service.full_name}/{method.name}": (
        _request_path(method),
        () if method.server_streaming else _path(method.output_type, "name"),
    )
    for method in _changing_methods()
}
"""By the path of each method that changes something: where its request, and its answer, name the resource."""


def is_change(method: str) -> bool:
    """Whether the contract says that a method has effects, by its path."""
    return method in _PATHS


def resource_of_request(method: str, request: object) -> str:
    """The resource that a request names, as it was sent; empty where it names none."""
    path, _ = _PATHS.get(method, ((), ()))
    return resource_or_nothing(text_at(request, path)) if path and isinstance(request, bytes) else ""


def resource_of_answer(method: str, request: object, answer: object) -> str | None:
    """The resource that was changed; None where the answer could name it and does not: then nothing was stored."""
    _, path = _PATHS.get(method, ((), ()))
    if not path:
        return resource_of_request(method, request)
    if isinstance(answer, Message):
        return resource_or_nothing(str(getattr(answer, "name", ""))) or None
    return resource_or_nothing(text_at(answer, path)) or None if isinstance(answer, bytes) else None


def outcome_of(status: Status) -> tuple[str, str]:
    """The code and the reason of a failure."""
    info = ErrorInfo()
    reason = next((info.reason for detail in status.details if detail.Unpack(info)), "")
    return str(code_pb2.Code.Name(status.code)), reason


def audit_filter_from_proto(request: ListAuditEventsRequest) -> AuditFilter:
    """What a caller wants to see. Raises InvalidInput for a time that is none, or an empty range of times."""
    since, before = _time(request, "start_time"), _time(request, "end_time")
    if since is not None and before is not None and since >= before:
        raise InvalidInput("end_time", "must be later than start_time")
    return AuditFilter(request.caller, request.method, request.resource, since, before)


def audit_page_to_proto(page: AuditPage) -> ListAuditEventsResponse:
    """A page of events."""
    return ListAuditEventsResponse(
        audit_events=[_event(record) for record in page.records], next_page_token=page.next_token
    )


def _event(record: AuditRecord) -> ListAuditEventsResponse.AuditEvent:
    event = record.event
    message = ListAuditEventsResponse.AuditEvent(
        sequence=record.sequence,
        caller=event.caller,
        method=event.method,
        resource=event.resource,
        code=event.code,
        call_id=event.call_id,
        owner=event.owner,
        reason=event.reason,
        count=event.count,
    )
    message.event_time.FromDatetime(event.time)
    return message


def _time(request: ListAuditEventsRequest, name: str) -> datetime | None:
    if not request.HasField(name):
        return None
    try:
        found: datetime = getattr(request, name).ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(name, "must be a time between the years 1 and 9999") from None
    return found
