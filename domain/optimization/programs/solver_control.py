"""Accuracy, deadline and cancellation check of a solve."""

import math
import time

from domain.cancellation import CancellationCheck, never_cancelled
from domain.errors import SolverTimedOut
from domain.optimization.request.solver_options import SolverOptions
from domain.optimization.tolerances import DEFAULT_TOLERANCE
from domain.records import dataclass

LATE = "the time limit ran out before the answer was found"


@dataclass(frozen=True, slots=True)
class SolverControl:
    """Given to every solver beside its problem; calling it checks for cancellation and for the deadline."""

    tolerance: float = DEFAULT_TOLERANCE  # relative accuracy of the answer
    deadline: float = math.inf  # of time.monotonic()
    check_cancelled: CancellationCheck = never_cancelled

    @classmethod
    def of(cls, options: SolverOptions, check_cancelled: CancellationCheck = never_cancelled) -> "SolverControl":
        """The options of a request from now on."""
        return cls(options.tolerance, time.monotonic() + options.time_limit_seconds, check_cancelled)

    @classmethod
    def for_seconds(cls, seconds: float, check_cancelled: CancellationCheck = never_cancelled) -> "SolverControl":
        """At the usual tolerance for so long from now on."""
        return cls(deadline=time.monotonic() + seconds, check_cancelled=check_cancelled)

    def __call__(self) -> None:
        """Raises SolverTimedOut after the deadline, and what `check_cancelled` raises."""
        self.check_cancelled()
        if time.monotonic() >= self.deadline:
            raise SolverTimedOut(LATE)

    @property
    def seconds_left(self) -> float:
        """Time for one call of a solver that cannot be stopped, above 0. Raises as a call does."""
        self()
        left = self.deadline - time.monotonic()
        if left <= 0.0:
            raise SolverTimedOut(LATE)
        return left

    def accuracy(self, fraction: float, closest: float, loosest: float) -> float:
        """A solver's own tolerance: a fraction of that of the answer, within what the solver takes."""
        return min(max(fraction * self.tolerance, closest), loosest)


UNLIMITED = SolverControl()
"""The usual tolerance, without a time limit."""
