"""The traffic light of the Basel Committee.

Basle Committee on Banking Supervision 1996, "Supervisory framework for the use of 'backtesting' in conjunction with
the internal models approach to market risk capital requirements", table 2.
"""

from enum import StrEnum

from domain.records import dataclass
from domain.risk.validation.binomial import probabilities
from domain.risk.validation.exceptions import Exceptions

YELLOW_FROM = 0.95
RED_FROM = 0.9999

PLUS_FACTORS = (0.0, 0.0, 0.0, 0.0, 0.0, 0.4, 0.5, 0.65, 0.75, 0.85, 1.0)
"""Addition to the capital multiplier of 3 by number of exceptions; the last one holds for all larger numbers."""


class Zone(StrEnum):
    """How far the number of exceptions speaks against the forecasts."""

    GREEN = "GREEN"
    YELLOW = "YELLOW"
    RED = "RED"


@dataclass(frozen=True, slots=True)
class TrafficLight:
    """The zone, and the cumulative probability it is read from."""

    zone: Zone
    cumulative_probability: float  # of at most as many exceptions, if the forecasts are right
    plus_factor: float | None  # None but for 250 observations at 99 %, for which the table is written


def traffic_light(exceptions: Exceptions) -> TrafficLight:
    """A zone starts with the number of exceptions at which the cumulative probability reaches its bound."""
    count_probabilities = probabilities(exceptions.observations, exceptions.tail_probability)
    cumulative = min(float(count_probabilities[: exceptions.count + 1].sum()), 1.0)
    zone = Zone.GREEN if cumulative < YELLOW_FROM else Zone.YELLOW if cumulative < RED_FROM else Zone.RED
    of_table = exceptions.observations == 250 and abs(exceptions.confidence_level - 0.99) < 1e-12
    return TrafficLight(
        zone=zone,
        cumulative_probability=cumulative,
        plus_factor=PLUS_FACTORS[min(exceptions.count, len(PLUS_FACTORS) - 1)] if of_table else None,
    )
