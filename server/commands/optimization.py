"""Commands of OptimizationService and what comes of them."""

from domain.estimation.diagnostics import EstimationDiagnostics
from domain.market_data.source import MarketInput
from domain.optimization.problem.problem import Problem
from domain.optimization.request.specification import Specification
from domain.optimization.solution import Solution
from domain.records import dataclass
from domain.warnings import ResultWarning
from server.ports.market_data import PriceSelection


@dataclass(frozen=True, slots=True)
class OptimizeCommand:
    """What to optimise, and how the answer is kept."""

    data: MarketInput | PriceSelection
    specification: Specification
    expected_returns_given: bool  # False where the caller gave moments without expected returns
    body: bytes  # hash of the request without its id
    request_id: str | None = None
    validate_only: bool = False
    check_feasibility: bool = False  # with validate_only
    diagnose_estimation: bool = False
    content: bytes = b""  # hash of what determines the answer
    id: str | None = None  # the caller's choice
    label: str = ""


@dataclass(frozen=True, slots=True)
class TraceCommand:
    """Command of TraceFrontier: the problem and the number of points."""

    data: MarketInput | PriceSelection
    specification: Specification
    points: int  # 0 for all corner portfolios


@dataclass(frozen=True, slots=True)
class Traced:
    """One portfolio of a frontier."""

    index: int
    solution: Solution
    solve_seconds: float
    warnings: tuple[ResultWarning, ...] = ()  # about the problem of all, beside the first


@dataclass(frozen=True, slots=True)
class BatchCommand:
    """What all accounts of a batch share."""

    data: MarketInput | PriceSelection
    specification: Specification
    expected_returns_given: bool


@dataclass(frozen=True, slots=True)
class BatchAccount:
    """One account, its specification complete but for stored groups."""

    key: str
    specification: Specification | Exception  # why its message is none
    fingerprint: str
    origins: tuple[str, ...] = ()  # where each constraint of the specification was sent, as a path of the batch


@dataclass(frozen=True, slots=True)
class Answer:
    """A solution, the problem it belongs to, and how long it took."""

    problem: Problem
    solution: Solution
    solve_seconds: float
    diagnostics: EstimationDiagnostics | None = None  # where they were asked for


@dataclass(frozen=True, slots=True)
class PricedAnswer:
    """An answer with the cost of getting there from the current weights, as a fraction of net asset value."""

    answer: Answer
    cost: float | None
    expected_returns_given: bool
