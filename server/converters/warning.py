"""Warnings on the wire."""

from collections.abc import Iterable

from absfinance.v1.warning_pb2 import Warning as WarningProto

from domain.warnings import ResultWarning


def warnings_to_proto(warnings: Iterable[ResultWarning]) -> list[WarningProto]:
    """One message for each warning, in their order."""
    return [WarningProto(code=one.code, field=one.field, message=one.message) for one in warnings]
