"""Calls of BacktestService about sweeps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from absfinance.v1 import backtest_pb2
from absfinance.v1 import backtest_service_pb2 as pb
from absfinance.v1.backtest_pb2 import Strategy
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.sweep_pb2 import Sweep as SweepProto
from absfinance.v1.sweep_pb2 import SweepSelection

from absfin.choices import JobState, Score, TrialOrder, choice
from absfin.queries.backtests import BacktestQuery
from absfin.queries.base import PagedQuery, Rpc, UnaryQuery
from absfin.requests import new_request_id
from absfin.sweeps import Sweep, SweepTrial

AxisValues = Sequence[float] | Sequence[str] | Sequence[Strategy]
"""Numbers, texts (names of enum values, durations such as "1.5s", dates, "true"), or strategies."""


@dataclass(frozen=True)
class SweepQuery(UnaryQuery[Sweep]):
    """Starts many backtests as one job: every combination of `axes` over one backtest, or a list of backtests.

    Paths of axes are those of the request, such as "costs.commission_bps". `watch` follows it; docs/sweeps.md explains
    what is compared, and how.
    """

    RPC: ClassVar = Rpc(BacktestServiceStub, "Sweep")

    backtests: BacktestQuery | Sequence[BacktestQuery]
    axes: Mapping[str, AxisValues] | None = None
    _: KW_ONLY
    score: Score = "sharpe"
    cross_validation: tuple[int, int] | None = None  # groups of dates, and how many of them are test data at a time
    purge_periods: int = 0  # left out of the training data before and after each test
    embargo_periods: int = 0  # further ones left out after each test
    label: str = ""  # for people
    sweep_id: str = ""  # the {id} of "sweeps/{id}"; chosen by the server if empty
    request_id: str = ""  # a new one if empty
    wait_seconds: float = 0.0

    def __post_init__(self) -> None:
        choice(SweepSelection.Score, "score", self.score)
        if isinstance(self.backtests, BacktestQuery) != bool(self.axes):
            raise ValueError("give one backtest with axes, or a list of backtests without")

    def time_limit(self, default: float) -> float:
        """Seconds that the call may take: those of any call, and the wait for the end of the job."""
        return super().time_limit(default) + self.wait_seconds

    def request(self) -> pb.SweepRequest:
        """A grid or a list."""
        request = pb.SweepRequest(
            selection=SweepSelection(
                score=choice(SweepSelection.Score, "score", self.score),
                purge_periods=self.purge_periods,
                embargo_periods=self.embargo_periods,
            ),
            label=self.label,
            sweep_id=self.sweep_id,
            request_id=self.request_id or new_request_id(),
        )
        if self.cross_validation is not None:
            tested = request.selection.cross_validation
            tested.groups, tested.test_groups = self.cross_validation
        request.wait.FromNanoseconds(round(self.wait_seconds * 1e9))
        if isinstance(self.backtests, BacktestQuery):
            request.grid.base.CopyFrom(_trial(self.backtests))
            request.grid.axes.extend(_axis(path, values) for path, values in (self.axes or {}).items())
        else:
            request.trials.backtests.extend(map(_trial, self.backtests))
        return request

    def answer(self, response: SweepProto) -> Sweep:
        """The job."""
        return Sweep.from_proto(response)


def _trial(backtest: BacktestQuery) -> pb.BacktestRequest:
    """A backtest without what says how a single one is kept."""
    request = backtest.request()
    for name in ("request_id", "wait"):
        request.ClearField(name)
    return request


def _axis(path: str, values: AxisValues) -> pb.SweepRequest.Axis:
    axis = pb.SweepRequest.Axis(path=path)
    for value in values:
        if isinstance(value, Strategy):
            axis.strategies.values.append(value)
        elif isinstance(value, str):
            axis.strings.values.append(value)
        else:
            axis.numbers.values.append(value)
    return axis


@dataclass(frozen=True)
class GetSweepQuery(UnaryQuery[Sweep]):
    """A sweep by its name, "sweeps/{id}". Raises NotFound."""

    RPC: ClassVar = Rpc(BacktestServiceStub, "GetSweep")

    name: str

    def request(self) -> pb.GetSweepRequest:
        """The name."""
        return pb.GetSweepRequest(name=self.name)

    def answer(self, response: SweepProto) -> Sweep:
        """The job."""
        return Sweep.from_proto(response)


@dataclass(frozen=True)
class SweepTrialsQuery(PagedQuery[SweepTrial]):
    """The trials of a sweep that has succeeded. Raises NotFound and BacktestRunning."""

    RPC: ClassVar = Rpc(BacktestServiceStub, "ListSweepTrials")

    name: str
    _: KW_ONLY
    state: JobState | None = None
    order: TrialOrder = "sweep"
    page_size: int = 1000

    def __post_init__(self) -> None:
        self._state()
        choice(pb.ListSweepTrialsRequest.Order, "order", self.order)

    def request(self, page_token: str) -> pb.ListSweepTrialsRequest:
        """A page."""
        return pb.ListSweepTrialsRequest(
            name=self.name,
            page_size=self.page_size,
            page_token=page_token,
            state=self._state(),
            order=choice(pb.ListSweepTrialsRequest.Order, "order", self.order),
        )

    def items(self, response: pb.ListSweepTrialsResponse) -> Iterable[SweepTrial]:
        """The trials of a page."""
        return map(SweepTrial.from_proto, response.trials)

    def _state(self) -> str | None:
        return None if self.state is None else choice(backtest_pb2.BacktestState, "state", self.state)
