"""What a backtest found: figures, costs by kind, how the net asset value came about, and what happened to assets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from absfinance.v1.backtest_pb2 import AssetEvent as AssetEventProto
from absfinance.v1.backtest_pb2 import Backtest as BacktestProto
from absfinance.v1.backtest_pb2 import BacktestState
from absfinance.v1.backtest_pb2 import Reconciliation as ReconciliationProto
from absfinance.v1.backtest_service_pb2 import ListBacktestsResponse

from absfin.attribution import PathAttribution
from absfin.choices import AssetEventKind, plain_name
from absfin.data import date_from_proto
from absfin.results import ResultWarning, optional_figure, stale_since_of, warnings_of
from absfin.return_tables import BenchmarkComparison, ReturnTables
from absfin.selection import Selection
from absfin.significance import StatisticalValidation


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How the net asset value came about, in money: start + flows + gains - costs = end."""

    start_nav: float
    flows: float  # external
    gains: float  # of positions and cash, before costs
    costs: float  # costs, fees and taxes, as a positive number
    end_nav: float
    uncovered_loss: float = 0.0  # beyond the whole net asset value, where it was used up; in no other figure

    @classmethod
    def from_proto(cls, message: ReconciliationProto) -> "Reconciliation":
        """From the message."""
        parts = (message.start_nav, message.flows, message.gains, message.costs, message.end_nav)
        return cls(*parts, message.uncovered_loss)


@dataclass(frozen=True, slots=True)
class AssetEvent:
    """A corporate action, a margin call or a change of the state of an asset; quantities in units."""

    date: date
    symbol: str
    kind: AssetEventKind
    quantity_before: float
    quantity_after: float
    cash: float  # received; negative where it was paid

    @classmethod
    def from_proto(cls, message: AssetEventProto) -> "AssetEvent":
        """From the message."""
        return cls(
            date=date_from_proto(message.date),
            symbol=message.symbol,
            kind=plain_name(AssetEventProto.Kind, message.kind),
            quantity_before=message.quantity_before,
            quantity_after=message.quantity_after,
            cash=message.cash,
        )


@dataclass(frozen=True, slots=True)
class StrategyResult:
    """Performance of a strategy or benchmark. A figure that is not defined is missing, and `undefined` says why.

    Figures of returns are time-weighted; a benchmark that is a symbol has no account, and so no figures in money.
    """

    label: str
    metrics: Mapping[str, float]
    undefined: Mapping[str, str]
    rebalances: int
    failed_rebalances: tuple[tuple[date, str, str], ...]  # date, reason, message
    costs: Mapping[str, float]  # money by kind: commission, spread, impact, borrow, financing, ...
    final_nav: float | None  # money
    final_cash: float | None  # money
    final_holdings: Mapping[str, float]  # units
    money_weighted_return: float | None  # over the whole period; None without external cash flows
    bankrupt_date: date | None  # on which the net asset value reached 0
    convention_difference: float | None  # final NAV less that of exact conventions; None for exact ones
    reconciliation: Reconciliation | None
    asset_events: tuple[AssetEvent, ...]
    asset_event_count: int  # those included that asset_events leaves out, where there are very many
    attribution: PathAttribution | None  # None where it was not asked for
    validation: StatisticalValidation | None  # None for a benchmark
    return_tables: ReturnTables | None = None  # by calendar and over moving years
    comparisons: Mapping[str, BenchmarkComparison] = field(default_factory=dict)  # by benchmark
    selection: Selection | None = None  # of a strategy that selects among others

    @classmethod
    def from_proto(cls, message: Any) -> "StrategyResult":
        """From the message."""
        return cls(
            label=message.label,
            metrics=_figures(message.metrics),
            undefined=dict(message.metrics.undefined),
            rebalances=message.rebalance_count,
            failed_rebalances=tuple(
                (date_from_proto(one.date), one.reason, one.message) for one in message.failed_rebalances
            ),
            costs=_figures(message.costs),
            final_nav=optional_figure(message, "final_nav"),
            final_cash=optional_figure(message, "final_cash"),
            final_holdings={holding.symbol: holding.quantity for holding in message.final_holdings},
            money_weighted_return=optional_figure(message, "money_weighted_return"),
            bankrupt_date=date_from_proto(message.bankrupt_date) if message.HasField("bankrupt_date") else None,
            convention_difference=optional_figure(message, "convention_difference"),
            reconciliation=(
                Reconciliation.from_proto(message.reconciliation) if message.HasField("reconciliation") else None
            ),
            asset_events=tuple(map(AssetEvent.from_proto, message.asset_events)),
            asset_event_count=message.asset_event_count,
            attribution=PathAttribution.from_proto(message.attribution) if message.HasField("attribution") else None,
            return_tables=ReturnTables.from_proto(message.return_tables) if message.HasField("return_tables") else None,
            comparisons={one.benchmark: BenchmarkComparison.from_proto(one) for one in message.benchmark_comparisons},
            selection=Selection.from_proto(message.selection) if message.HasField("selection") else None,
            validation=(
                StatisticalValidation.from_proto(message.statistical_validation)
                if message.HasField("statistical_validation")
                else None
            ),
        )


@dataclass(frozen=True, slots=True)
class Backtest:
    """A job, with its results once it has succeeded."""

    name: str
    state: str  # queued, running, succeeded, failed or cancelled
    fraction: float
    error: str
    strategies: tuple[StrategyResult, ...]
    benchmarks: tuple[StrategyResult, ...]
    warnings: tuple[ResultWarning, ...]
    stale_since: datetime | None  # UTC; when stored prices that it uses were corrected first, None while they were not
    proto: BacktestProto = field(repr=False)

    @classmethod
    def from_proto(cls, message: BacktestProto) -> "Backtest":
        """From the response."""
        return cls(
            name=message.name,
            state=plain_name(BacktestState, message.state),
            fraction=message.fraction,
            error=message.error.message,
            strategies=tuple(map(StrategyResult.from_proto, message.result.strategies)),
            benchmarks=tuple(map(StrategyResult.from_proto, message.result.benchmarks)),
            warnings=(*warnings_of(message), *warnings_of(message.result)),
            stale_since=stale_since_of(message),
            proto=message,
        )

    def _repr_html_(self) -> str:
        """Figures and tables, for a notebook."""
        from absfin.notebook import html_of_result  # which is built from results

        return html_of_result(self)

    @property
    def metrics(self) -> Mapping[str, float]:
        """Figures of the first strategy; empty until the job has succeeded."""
        return self.strategies[0].metrics if self.strategies else {}

    @property
    def costs(self) -> Mapping[str, float]:
        """Costs of the first strategy by kind, in money; empty until the job has succeeded."""
        return self.strategies[0].costs if self.strategies else {}

    @property
    def return_tables(self) -> ReturnTables | None:
        """Returns of the first strategy by calendar; None until the job has succeeded."""
        return self.strategies[0].return_tables if self.strategies else None

    @property
    def validation(self) -> StatisticalValidation | None:
        """How far the Sharpe ratio of the first strategy can be trusted; None until the job has succeeded."""
        return self.strategies[0].validation if self.strategies else None

    @property
    def reconciliation(self) -> Reconciliation | None:
        """How the net asset value of the first strategy came about; None until the job has succeeded."""
        return self.strategies[0].reconciliation if self.strategies else None

    @property
    def attribution(self) -> PathAttribution | None:
        """The excess return of the first strategy, divided; None where it was not asked for."""
        return self.strategies[0].attribution if self.strategies else None

    @property
    def asset_events(self) -> tuple[AssetEvent, ...]:
        """What happened to positions of the first strategy; empty until the job has succeeded."""
        return self.strategies[0].asset_events if self.strategies else ()


@dataclass(frozen=True, slots=True)
class BacktestPage:
    """Jobs, newest first, without their results."""

    summaries: tuple[ListBacktestsResponse.Summary, ...]
    next_page_token: str


def _figures(message: Any) -> Mapping[str, float]:
    """The figures of a message that are present, by their field names."""
    return {field.name: float(value) for field, value in message.ListFields() if field.type == field.TYPE_DOUBLE}
