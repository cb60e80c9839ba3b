"""The result of a test. A figure that is not defined is None with a reason; none is inf or NaN."""

import math
from enum import StrEnum

from domain.records import dataclass


class PValueMethod(StrEnum):
    """Where a p-value comes from."""

    EXACT = "exact"  # the distribution of the statistic for this number of observations
    ASYMPTOTIC = "asymptotic"  # its limit for many observations
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One test: small p-values speak against the forecasts."""

    statistic: float | None
    p_value: float | None = None
    method: PValueMethod | None = None  # of p_value
    p_value_asymptotic: float | None = None
    degrees_of_freedom: int | None = None  # of the asymptotic chi-squared distribution
    reason: str | None = None  # why statistic or p_value is absent
    note: str | None = None  # a caveat about the figures

    def __post_init__(self) -> None:
        figures = (self.statistic, self.p_value, self.p_value_asymptotic)
        if any(figure is not None and not math.isfinite(figure) for figure in figures):
            raise ValueError("a figure that is not finite is None with a reason")
        if (self.statistic is None or self.p_value is None) != (self.reason is not None):
            raise ValueError("what is absent has a reason, and nothing else has")
        if (self.p_value is None) != (self.method is None):
            raise ValueError("a p-value comes with its method")

    @classmethod
    def undefined(cls, reason: str) -> "Verdict":
        """No statistic, and why."""
        return cls(None, reason=reason)
