"""Calls of BacktestService."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from absfinance.v1 import backtest_pb2, corporate_action_pb2
from absfinance.v1 import backtest_service_pb2 as pb
from absfinance.v1.attribution_pb2 import AttributionOptions
from absfinance.v1.backtest_pb2 import AnalysisOptions, Benchmark, Execution, Margin, Rebalancing, Strategy
from absfinance.v1.backtest_pb2 import Backtest as BacktestProto
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.panel_pb2 import MissingDataPolicy
from absfinance.v1.portfolio_pb2 import Holding
from absfinance.v1.statistical_validation_pb2 import StatisticalValidationOptions

from absfin.backtest_results import Backtest, BacktestPage
from absfin.cash_flows import CashFlow, RecurringCashFlow, flow_fields
from absfin.choices import (
    Conventions,
    DelistingPolicy,
    DividendPolicy,
    Fill,
    JobState,
    MissingData,
    PriceBasis,
    Series,
    choice,
)
from absfin.corporate_actions import CorporateAction, corporate_actions_to_proto
from absfin.costs import Costs, costs_of
from absfin.data import Panel, Prices, Returns, Stored, input_fields, panel_of
from absfin.panel_assembler import PanelAssembler
from absfin.queries.base import AssembledQuery, Rpc, UnaryQuery
from absfin.requests import new_request_id, timestamp
from absfin.strategies import benchmark
from absfin.universe import universe_to_proto


@dataclass(frozen=True)
class BacktestQuery(UnaryQuery[Backtest]):
    """Starts a job, which goes on if the call is cut off.

    With `wait_seconds`, the answer is the finished job if it ends within that time. docs/backtesting.md explains what
    happens on a date, and in which order.
    """

    RPC: ClassVar = Rpc(BacktestServiceStub, "Backtest")

    data: Prices | Returns | Stored
    strategy: Strategy | Sequence[Strategy]
    _: KW_ONLY
    rebalancing: Rebalancing | None = None
    fill: Fill = "next_close"
    lag_periods: int = 0  # further dates between decision and fill
    open_prices: Any = None  # a Panel or frame of the symbols and dates of the prices, for fills at the next open
    max_participation: float | None = None  # largest trade of a date, as a fraction of daily_values or stored ones
    commission_bps: float = 0.0
    half_spread_bps: float = 0.0
    costs: Costs | None = None  # instead of the two; without any, those that an optimising strategy plans with
    initial_capital: float | None = None  # money; beside initial_holdings it is the cash, 0 if None
    initial_holdings: Mapping[str, float] | None = None  # units, marked at the first price; nothing is paid for them
    charge_initial_purchase: bool = True  # whether the purchase from cash alone bears costs
    fractional_holdings: bool = True
    cash_flows: Iterable[CashFlow | RecurringCashFlow] = ()
    corporate_actions: Iterable[CorporateAction] = ()  # beside those that are stored
    price_basis: PriceBasis = "adjusted"  # what the prices are adjusted for already
    dividend_policy: DividendPolicy = "cash"
    withholding_rate: float | None = None  # fraction of dividends
    delisting_policy: DelistingPolicy = "fail"  # the return of a delisting that has none of its own
    maintenance_ratio: float | None = None  # least equity / gross exposure; None for no margin account
    conventions: Conventions = "exact"
    universe: Mapping[date, Iterable[str]] | None = None  # symbols that may be held, each set from its date on
    benchmarks: Iterable[str | Strategy | Benchmark] = ()
    risk_free_rate_annual: float | None = None
    minimum_acceptable_return_annual: float | None = None
    attribution: AttributionOptions | None = None
    statistical_validation: StatisticalValidationOptions | None = None
    periods_per_year: float | None = None  # inferred from the dates of prices if None
    seed: int = 0
    validate_only: bool = False  # only check the request: no job is started
    label: str = ""  # for people; lists can be filtered by it
    backtest_id: str = ""  # the {id} of "backtests/{id}"; chosen by the server if empty
    missing_data: MissingData = "fail"
    request_id: str = ""  # a new one if empty
    wait_seconds: float = 0.0

    def __post_init__(self) -> None:
        self._choices()
        costs_of(self.costs, self.commission_bps, self.half_spread_bps)

    def time_limit(self, default: float) -> float:
        """Seconds that the call may take: those of any call, and the wait for the end of the job."""
        return super().time_limit(default) + self.wait_seconds

    def request(self) -> pb.BacktestRequest:
        """One backtest."""
        request = pb.BacktestRequest(
            **input_fields(self.data, self.periods_per_year),
            strategy=self.strategy if isinstance(self.strategy, Strategy) else None,
            strategies=() if isinstance(self.strategy, Strategy) else self.strategy,
            rebalancing=self.rebalancing,
            execution=self._execution(),
            costs=self._costs(),
            initial_capital=self.initial_capital,
            initial_holdings=[Holding(symbol=s, quantity=q) for s, q in (self.initial_holdings or {}).items()],
            charge_initial_purchase=self.charge_initial_purchase,
            fractional_holdings=self.fractional_holdings,
            **flow_fields(self.cash_flows),
            corporate_actions=corporate_actions_to_proto(self.corporate_actions),
            withholding_rate=self.withholding_rate,
            open_prices=None if self.open_prices is None else panel_of(self.open_prices).to_proto(),
            universe=universe_to_proto(self.universe or {}),
            margin=None if self.maintenance_ratio is None else Margin(maintenance_ratio=self.maintenance_ratio),
            benchmarks=[one if isinstance(one, Benchmark) else benchmark(one) for one in self.benchmarks],
            analysis=AnalysisOptions(
                risk_free_rate_annual=self.risk_free_rate_annual,
                minimum_acceptable_return_annual=self.minimum_acceptable_return_annual,
                attribution=self.attribution,
                statistical_validation=self.statistical_validation,
            ),
            **self._choices(),
            seed=self.seed,
            validate_only=self.validate_only,
            label=self.label,
            backtest_id=self.backtest_id,
            request_id=self.request_id or new_request_id(),
        )
        request.wait.FromNanoseconds(round(self.wait_seconds * 1e9))
        return request

    def answer(self, response: BacktestProto) -> Backtest:
        """The job."""
        return Backtest.from_proto(response)

    def _costs(self) -> Costs | None:
        """The costs; none where nothing is given: those that a strategy plans with are paid then."""
        if self.costs is None and not (self.commission_bps or self.half_spread_bps):
            return None
        return costs_of(self.costs, self.commission_bps, self.half_spread_bps)

    def _execution(self) -> Execution:
        return Execution(
            fill=choice(backtest_pb2.Fill, "fill", self.fill),
            lag_periods=self.lag_periods,
            max_participation=self.max_participation,
        )

    def _choices(self) -> dict[str, Any]:
        """The fields with a choice of names. Raises UnknownChoice."""
        choice(backtest_pb2.Fill, "fill", self.fill)
        named = {
            "missing_data": MissingDataPolicy,
            "price_basis": corporate_action_pb2.PriceBasis,
            "dividend_policy": corporate_action_pb2.DividendPolicy,
            "delisting_policy": corporate_action_pb2.DelistingPolicy,
            "conventions": backtest_pb2.Conventions,
        }
        return {name: choice(enum, name, getattr(self, name)) for name, enum in named.items()}


@dataclass(frozen=True)
class GetBacktestQuery(UnaryQuery[Backtest]):
    """A job by its name, "backtests/{id}". Raises NotFound."""

    RPC: ClassVar = Rpc(BacktestServiceStub, "GetBacktest")

    name: str

    def request(self) -> pb.GetBacktestRequest:
        """The name."""
        return pb.GetBacktestRequest(name=self.name)

    def answer(self, response: BacktestProto) -> Backtest:
        """The job."""
        return Backtest.from_proto(response)


@dataclass(frozen=True)
class ListBacktestsQuery(UnaryQuery[BacktestPage]):
    """A page of jobs, newest first."""

    RPC: ClassVar = Rpc(BacktestServiceStub, "ListBacktests")

    page_size: int = 50
    page_token: str = ""
    _: KW_ONLY
    state: JobState | None = None
    label: str = ""
    start_create_time: datetime | None = None  # in UTC if without a time zone
    end_create_time: datetime | None = None
    all: bool = False  # those of everybody, for admins; each summary then has its owner

    def __post_init__(self) -> None:
        self._state()

    def request(self) -> pb.ListBacktestsRequest:
        """The page."""
        return pb.ListBacktestsRequest(
            page_size=self.page_size,
            page_token=self.page_token,
            state=self._state(),
            label=self.label,
            start_create_time=timestamp(self.start_create_time),
            end_create_time=timestamp(self.end_create_time),
            all=self.all,
        )

    def _state(self) -> str | None:
        return None if self.state is None else choice(backtest_pb2.BacktestState, "state", self.state)

    def answer(self, response: pb.ListBacktestsResponse) -> BacktestPage:
        """The summaries of the page."""
        return BacktestPage(tuple(response.backtests), response.next_page_token)


@dataclass(frozen=True)
class CancelBacktestQuery(UnaryQuery[Backtest]):
    """Stops a job; one that has ended is unchanged. Raises NotFound."""

    RPC: ClassVar = Rpc(BacktestServiceStub, "CancelBacktest")

    name: str

    def request(self) -> pb.CancelBacktestRequest:
        """The name."""
        return pb.CancelBacktestRequest(name=self.name)

    def answer(self, response: BacktestProto) -> Backtest:
        """The job."""
        return Backtest.from_proto(response)


@dataclass(frozen=True)
class DeleteBacktestQuery(UnaryQuery[None]):
    """Removes a job that has ended. Raises NotFound and BacktestRunning."""

    RPC: ClassVar = Rpc(BacktestServiceStub, "DeleteBacktest")

    name: str

    def request(self) -> pb.DeleteBacktestRequest:
        """The name."""
        return pb.DeleteBacktestRequest(name=self.name)

    def answer(self, response: pb.DeleteBacktestResponse) -> None:
        """Nothing."""


@dataclass(frozen=True)
class BacktestSeriesQuery(AssembledQuery[Panel]):
    """A series of a job that has succeeded, of a strategy by its label; of the first one without a label.

    "nav" and "cash" are money; "equity" is the unit value, in which external cash flows are taken out, "gross_equity"
    the same without the costs of trades; "weights", "contributions" (to the return of each date), "holdings" and
    "trades" (both in units) have a column for each asset, "exposures" for long, short, gross, net and cash; "drawdown",
    "costs" and "turnover" (of each date) are fractions.
    """

    RPC: ClassVar = Rpc(BacktestServiceStub, "GetBacktestSeries")

    name: str
    series: Series
    label: str = ""

    def __post_init__(self) -> None:
        choice(pb.BacktestSeries, "series", self.series)

    def request(self) -> pb.GetBacktestSeriesRequest:
        """The series."""
        series = choice(pb.BacktestSeries, "series", self.series)
        return pb.GetBacktestSeriesRequest(name=self.name, series=series, label=self.label)

    def assembler(self) -> PanelAssembler:
        """Joins the rows."""
        return PanelAssembler()
