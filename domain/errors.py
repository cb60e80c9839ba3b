"""Everything the engine can say no with, sorted by what the caller can do about it.

| class | what to do | retry helps |
|---|---|---|
| `InvalidInput` | change the named field | no |
| `MissingMarketData` | import the data, or ask for less | no |
| `InfeasibleProblem` | relax one of the named constraints | no |
| `FormulaMissesConstraint` | another objective, or a constraint that the formula keeps | no |
| `UnboundedProblem` | add a bound or a budget | no |
| `NoPositiveExcessReturn` | another objective, or other forecasts | no |
| `NotSupported` | use what the message offers instead | no |
| `SolverFailed` | report it: the answer did not pass verification | no |
| `SolverTimedOut` | more time, or a smaller problem | yes |
| `Cancelled` | nothing: the caller asked for it | yes |

`REASON` is stable and part of the contract; messages are for people and may change.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

ADVICE = "bring the figures of the request to like sizes, or raise solver.tolerance"
"""What helps where the numbers of a problem are hard to calculate with."""


class DomainError(Exception):
    """Base of all errors of the engine."""

    REASON: ClassVar[str] = "INTERNAL"
    RETRYABLE: ClassVar[bool] = False

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata: Mapping[str, str] = metadata

    def __reduce__(self) -> tuple[object, ...]:
        """Errors travel between processes whole, whatever arguments they were made from."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[DomainError], arguments: tuple[object, ...], state: dict[str, object]) -> DomainError:
    error = kind.__new__(kind)
    error.args = arguments
    error.__dict__.update(state)
    return error


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

    def under(self, prefix: str) -> "InvalidInput":
        """The same error with its field seen from one level further out."""
        return InvalidInput(f"{prefix}.{self.field}" if self.field else prefix, self.rule, self.reason)


class MissingMarketData(DomainError):
    """Stored data does not cover what was asked for."""

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
    """The weights of a formula miss constraints, and a formula has no freedom to keep them.

    `excess` holds by how much each label is missed, in the constraint's own unit.
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
    """The objective can be improved for ever."""

    REASON = "PROBLEM_UNBOUNDED"


class NoPositiveExcessReturn(DomainError):
    """Every feasible portfolio has an expected excess return of zero or less: the best ratio does not exist."""

    REASON = "NO_POSITIVE_EXCESS_RETURN"


class NotSupported(DomainError):
    """The engine cannot do this combination, and says so by name."""

    REASON = "NOT_SUPPORTED"


class SolverFailed(DomainError):
    """A solver gave no answer, or one that does not pass verification."""

    REASON = "SOLVER_FAILED"

    @classmethod
    def stopped(cls, solver: str, status: object) -> "SolverFailed":
        """A solver that ended without an answer; its own word for that is for those who know the solver."""
        return cls(f"no solver found an answer; {ADVICE}", solver=solver, status=str(status))

    @classmethod
    def unverified(cls, solver: str, what: str) -> "SolverFailed":
        """An answer that does not pass verification: what is wrong with it, such as "they miss a constraint"."""
        return cls(f"the best weights that were found are not sent: {what}; {ADVICE}", solver=solver)


class SolverTimedOut(DomainError):
    """The time limit of the request ran out before the answer was found."""

    REASON = "SOLVER_TIMED_OUT"
    RETRYABLE = True


class Cancelled(DomainError):
    """The caller went away or asked to stop."""

    REASON = "CANCELLED"
    RETRYABLE = True
