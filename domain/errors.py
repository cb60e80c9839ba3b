"""Errors raised by the engine, grouped by what the caller can do.

| class | what to do | retry helps |
|---|---|---|
| `InvalidInput` | change the named field | no |
| `MissingMarketData` | import the data, or request less of it | no |
| `InfeasibleProblem` | relax one of the named constraints | no |
| `FormulaMissesConstraint` | choose another objective, or a constraint that the formula satisfies | no |
| `UnboundedProblem` | add a bound or a budget | no |
| `NoPositiveExcessReturn` | choose another objective, or other expected returns | no |
| `NotSupported` | use the alternative that the message names | no |
| `SolverFailed` | report it: the answer did not pass verification | no |
| `SolverTimedOut` | allow more time, or reduce the problem | yes |
| `Cancelled` | nothing: the caller requested it | yes |

`REASON` is stable and part of the contract; messages are for people and may change. A message says what is wrong,
where, and what to do.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

ADVICE = "bring the figures of the request to like sizes, or raise solver.tolerance"
"""Advice for a problem with numerical difficulties."""


class PicklableError(Exception):
    """An error that can be sent from one process to another, whatever the arguments of its constructor."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles the arguments of `Exception` and all attributes; the constructor is not called again."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[PicklableError], arguments: tuple[object, ...], state: dict[str, object]) -> PicklableError:
    error = kind.__new__(kind)
    error.args = arguments
    error.__dict__.update(state)
    return error


class DomainError(PicklableError):
    """Base of all errors of the engine."""

    REASON: ClassVar[str] = "INTERNAL"
    RETRYABLE: ClassVar[bool] = False

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata: Mapping[str, str] = metadata


class InvalidInput(DomainError):
    """A field breaks a rule. `field` is a path such as `covariance` or `constraints[1].lower`.

    `reason` is more specific where a program can act on it, such as WEIGHTS_LOOK_LIKE_PERCENT.
    """

    REASON = "INVALID_INPUT"

    def __init__(self, field: str, rule: str, reason: str = REASON) -> None:
        super().__init__(f"{field}: {rule}" if field else rule, field=field)
        self.field = field
        self.rule = rule
        self.reason = reason

    def with_path_prefix(self, prefix: str) -> "InvalidInput":
        """The same error with a prefix before its field path."""
        return InvalidInput(f"{prefix}.{self.field}" if self.field else prefix, self.rule, self.reason)


class MissingMarketData(DomainError):
    """Stored data does not cover the request."""

    REASON = "MISSING_MARKET_DATA"


class InfeasibleProblem(DomainError):
    """No weights satisfy all constraints at once.

    `labels` is an irreducible conflicting set: drop any one of them and the rest can be met. `relaxations` holds, for
    each label, the smallest change of that constraint alone that makes the problem feasible, in the constraint's own
    unit, and is missing for a label where no change of its own is enough. `joint` relaxes all of them together, each
    by its figure, with the least possible sum.
    """

    REASON = "PROBLEM_INFEASIBLE"

    def __init__(
        self,
        labels: Sequence[str],
        relaxations: Mapping[str, float] | None = None,
        joint: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(
            "no weights satisfy these constraints together: " + ", ".join(labels), constraints=", ".join(labels)
        )
        self.labels = tuple(labels)
        self.relaxations: Mapping[str, float] = dict(relaxations or {})
        self.joint: Mapping[str, float] = dict(joint or {})


class FormulaMissesConstraint(DomainError):
    """The weights of a formula violate constraints, and a formula has no freedom to satisfy them.

    `excess` holds the violation of each label, in the constraint's own unit.
    """

    REASON = "FORMULA_MISSES_CONSTRAINT"

    def __init__(self, formula: str, excess: Mapping[str, float], instead: str) -> None:
        missed = ", ".join(f"{label} by {size:.6g}" for label, size in excess.items())
        super().__init__(
            f"{formula} is a formula without freedom to keep constraints, and misses {missed}; {instead}",
            constraints=", ".join(excess),
        )
        self.excess: Mapping[str, float] = dict(excess)


class UnboundedProblem(DomainError):
    """The problem is unbounded: the objective has no finite optimum."""

    REASON = "PROBLEM_UNBOUNDED"


class NoPositiveExcessReturn(DomainError):
    """Every feasible portfolio has an expected excess return of zero or less: the best ratio does not exist."""

    REASON = "NO_POSITIVE_EXCESS_RETURN"


class NotSupported(DomainError):
    """The engine does not support this combination, which the message names."""

    REASON = "NOT_SUPPORTED"


class SolverFailed(DomainError):
    """A solver returned no answer, or one that fails verification."""

    REASON = "SOLVER_FAILED"

    @classmethod
    def stopped(cls, solver: str, status: object) -> "SolverFailed":
        """A solver ended without an answer; `status` is in its own terms."""
        return cls(f"no solver found an answer; {ADVICE}", solver=solver, status=str(status))

    @classmethod
    def unverified(cls, solver: str, what: str) -> "SolverFailed":
        """An answer failed verification; `what` says why, such as "they miss a constraint"."""
        return cls(f"the best weights that were found are not sent: {what}; {ADVICE}", solver=solver)


class SolverTimedOut(DomainError):
    """The time limit of the request ran out before the answer was found."""

    REASON = "SOLVER_TIMED_OUT"
    RETRYABLE = True


class Cancelled(DomainError):
    """The caller disconnected or cancelled."""

    REASON = "CANCELLED"
    RETRYABLE = True
