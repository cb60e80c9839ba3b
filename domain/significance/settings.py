"""What statistical validation computes, and how."""

from domain.checks import finite_number, open_fraction
from domain.errors import InvalidInput
from domain.records import dataclass
from domain.significance.stability import SUB_PERIODS

CONFIDENCE = 0.95
RESAMPLES = 1000
FEWEST_RESAMPLES, MOST_RESAMPLES = 100, 100_000
MOST_OFFSETS = 64
MOST_SUB_PERIODS = 100


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """Parameters of the validation of a path. Raises InvalidInput for one that breaks its rule.

    Without resampling, only figures that are formulas are computed: they take about a millisecond.
    """

    is_resampled: bool = False
    resamples: int = RESAMPLES
    block_length: float | None = None  # periods; chosen from the data if None
    confidence_level: float = CONFIDENCE  # of intervals and of the minimum track record
    benchmark_sharpe_annual: float = 0.0  # that the Sharpe ratio is compared with
    sub_periods: int = SUB_PERIODS
    timing_luck_offsets: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        open_fraction("confidence_level", self.confidence_level)
        finite_number("benchmark_sharpe_annual", self.benchmark_sharpe_annual)
        whole_in("resamples", self.resamples, FEWEST_RESAMPLES, MOST_RESAMPLES)
        whole_in("sub_periods", self.sub_periods, 2, MOST_SUB_PERIODS)
        whole_in("timing_luck_offsets", self.timing_luck_offsets, 0, MOST_OFFSETS)
        if self.block_length is not None and not finite_number("block_length", self.block_length) >= 1.0:
            raise InvalidInput("block_length", f"must be 1 or more, is {self.block_length:g}")


def whole_in(field: str, value: int, least: int, most: int) -> int:
    """A whole number within limits."""
    if not least <= value <= most:
        raise InvalidInput(field, f"must be from {least} to {most}, is {value}")
    return value


def block_length_within(field: str, block_length: float | None, observations: int) -> float | None:
    """A block length that is not longer than the series."""
    if block_length is not None and block_length > observations:
        raise InvalidInput(field, f"must be at most {observations}, the number of returns, is {block_length:g}")
    return block_length
