"""Calendar frequencies."""

from collections.abc import Mapping

from absfinance.v1 import frequency_pb2

from domain.calendar import Frequency

_FREQUENCIES: Mapping[int, Frequency] = {
    frequency_pb2.FREQUENCY_DAILY: Frequency.DAILY,
    frequency_pb2.FREQUENCY_WEEKLY: Frequency.WEEKLY,
    frequency_pb2.FREQUENCY_MONTHLY: Frequency.MONTHLY,
    frequency_pb2.FREQUENCY_QUARTERLY: Frequency.QUARTERLY,
    frequency_pb2.FREQUENCY_SEMIANNUAL: Frequency.SEMIANNUAL,
    frequency_pb2.FREQUENCY_ANNUAL: Frequency.ANNUAL,
}


def frequency_from_proto(frequency: int, unspecified: Frequency = Frequency.MONTHLY) -> Frequency:
    """The frequency of a number on the wire."""
    return _FREQUENCIES.get(frequency, unspecified)
