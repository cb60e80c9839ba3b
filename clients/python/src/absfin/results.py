"""Answers as frozen dataclasses; `proto` is the whole message of the contract. Backtests: `backtest_results`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from absfinance.v1.market_data_service_pb2 import ImportPricesResponse
from absfinance.v1.optimization_pb2 import Engine
from absfinance.v1.optimization_pb2 import Optimization as OptimizationProto
from absfinance.v1.optimization_service_pb2 import (
    ListOptimizationsResponse,
    OptimizeBatchResponse,
    TraceFrontierResponse,
)
from absfinance.v1.portfolio_service_pb2 import ListPortfoliosResponse
from absfinance.v1.reallocation_pb2 import PlannedTrade, ReallocationState, ShortfallCode, Term
from absfinance.v1.reallocation_pb2 import Reallocation as ReallocationProto
from absfinance.v1.reallocation_service_pb2 import ListReallocationsResponse

from absfin.choices import plain_name
from absfin.data import date_from_proto
from absfin.errors import AbsFinanceError, error_from_status

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class ResultWarning:
    """Part of a request that is probably a mistake. The code is stable, the message is for people."""

    code: str
    field: str  # path in the request; empty where it concerns no field
    message: str


def warnings_of(message: Any) -> tuple[ResultWarning, ...]:
    """The warnings that a message carries."""
    return tuple(ResultWarning(one.code, one.field, one.message) for one in message.warnings)


@dataclass(frozen=True, slots=True)
class Binding:
    """A binding constraint; its shadow price is the change of the objective for one unit of relaxation."""

    label: str
    symbol: str
    shadow_price: float | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """Who solved the problem, and how far the verified answer is from optimal and feasible."""

    engine: str
    solver: str
    solver_version: str
    iterations: int
    solve_seconds: float
    duality_gap: float | None
    max_constraint_violation: float

    @classmethod
    def from_proto(cls, message: Any) -> "Certificate":
        """From the message."""
        return cls(
            engine=plain_name(Engine, message.engine),
            solver=message.solver,
            solver_version=message.solver_version,
            iterations=message.iterations,
            solve_seconds=message.solve_duration.ToTimedelta().total_seconds(),
            duality_gap=optional_figure(message, "duality_gap"),
            max_constraint_violation=message.max_constraint_violation,
        )


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """One portfolio of a frontier."""

    expected_return_annual: float
    volatility_annual: float
    risk: float
    weights: Mapping[str, float]
    certificate: Certificate

    @classmethod
    def from_proto(cls, message: TraceFrontierResponse) -> "FrontierPoint":
        """From the response."""
        return cls(
            message.expected_return_annual,
            message.volatility_annual,
            message.risk,
            {entry.symbol: entry.weight for entry in message.weights},
            Certificate.from_proto(message.certificate),
        )


@dataclass(frozen=True, slots=True)
class Optimization:
    """Verified weights (fractions of net asset value) and their figures."""

    name: str
    weights: Mapping[str, float]
    expected_return_annual: float | None
    volatility_annual: float
    risk: float
    ratio: float | None
    diversification: float | None
    effective_number_of_assets: float
    risk_contributions: Mapping[str, float]
    turnover_one_way: float | None
    cost: float | None  # of the trades from the current weights, as a fraction of net asset value
    binding: tuple[Binding, ...]
    certificate: Certificate
    periods_per_year: float
    warnings: tuple[ResultWarning, ...]
    stale_since: datetime | None  # UTC; when stored prices that it used were corrected first, None while they were not
    proto: OptimizationProto = field(repr=False)

    @classmethod
    def from_proto(cls, message: OptimizationProto) -> "Optimization":
        """From the response."""
        return cls(
            name=message.name,
            weights={entry.symbol: entry.weight for entry in message.weights},
            expected_return_annual=optional_figure(message, "expected_return_annual"),
            volatility_annual=message.volatility_annual,
            risk=message.risk,
            ratio=optional_figure(message, "ratio"),
            diversification=optional_figure(message, "diversification"),
            effective_number_of_assets=message.effective_number_of_assets,
            risk_contributions={entry.symbol: entry.contribution for entry in message.risk_contributions},
            turnover_one_way=optional_figure(message, "turnover_one_way"),
            cost=optional_figure(message, "cost"),
            binding=tuple(
                # There may be one for each asset: `optional_figure` would take longer than all the rest.
                Binding(b.label, b.symbol, b.shadow_price if b.HasField("shadow_price") else None)
                for b in message.binding
            ),
            certificate=Certificate.from_proto(message.certificate),
            periods_per_year=message.periods_per_year,
            warnings=warnings_of(message),
            stale_since=stale_since_of(message),
            proto=message,
        )

    def to_pandas(self) -> "pd.Series[float]":
        """The weights as a series."""
        import pandas as pd  # an optional extra of this package

        return pd.Series(dict(self.weights), name="weight")

    def _repr_html_(self) -> str:
        """Figures and tables, for a notebook."""
        from absfin.notebook import html_of_result  # which is built from results

        return html_of_result(self)


def outcome_of(message: OptimizeBatchResponse) -> tuple[str, Optimization | AbsFinanceError]:
    """The key of an account, and its result or its error."""
    if message.WhichOneof("outcome") == "error":
        return message.key, error_from_status(message.error)
    return message.key, Optimization.from_proto(message.result)


@dataclass(frozen=True, slots=True)
class OptimizationPage:
    """Stored results, newest first, without their weights."""

    summaries: tuple[ListOptimizationsResponse.Summary, ...]
    next_page_token: str


PortfolioSummary = ListPortfoliosResponse.Summary
"""A stored portfolio without its positions and mandate."""


@dataclass(frozen=True, slots=True)
class LotSale:
    """Units that are sold from one tax lot; `gain` in money, negative for a loss."""

    lot_id: str
    quantity: float
    gain: float
    term: str  # short or long


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade of a plan; `quantity` in units, negative for a sale; the rest in money."""

    step: int
    symbol: str
    quantity: float
    price: float
    cost: float
    cash_after: float
    day: int
    lots: tuple[LotSale, ...] = ()  # of a sale, where the holding has tax lots
    harvested_quantity: float = 0.0  # units sold beyond what the target needs, to realise losses
    substitute_for: tuple[str, ...] = ()  # of a purchase, the assets that it replaces
    crossed_quantity: float = 0.0  # units of it that are traded with other portfolios of a batch


@dataclass(frozen=True, slots=True)
class Reallocation:
    """The trades in order, or the reason why there are none."""

    name: str
    outcome: str  # plan, unchanged or failure
    message: str  # why there are no trades
    trades: tuple[Trade, ...]
    warnings: tuple[ResultWarning, ...]
    shortfalls: Mapping[str, tuple[str, ...]]  # symbol -> why the trade is smaller than requested
    weights_before: Mapping[str, float]
    weights_after: Mapping[str, float]
    cost: float
    turnover_one_way: float
    residual_drift: float
    cash_after: float
    schedule: Mapping[str, tuple[float, ...]]  # symbol -> units that remain after each period; empty without a schedule
    tax: float | None  # on the realised gains, negative for a benefit; None without rates
    restricted_until: Mapping[str, date]  # symbol -> last date on which a purchase would disallow a loss
    state: str  # current, partly_filled, filled or superseded; empty where nothing was stored
    superseded_by: str  # the later reallocation; empty for none, or where its portfolio changed
    tracking_error_annual: float | None  # of weights_after to the target; None where no covariance is known
    stale_since: datetime | None  # UTC; when stored prices that it used were corrected first, None while they were not
    proto: ReallocationProto = field(repr=False)

    @classmethod
    def from_proto(cls, message: ReallocationProto) -> "Reallocation":
        """From the response."""
        summary = message.summary
        return cls(
            name=message.name,
            outcome=message.WhichOneof("outcome") or "",
            message=message.unchanged.reason or message.failure.message,
            trades=tuple(map(trade_of, message.plan.trades)),
            warnings=warnings_of(message),
            shortfalls={
                s.symbol: tuple(plain_name(ShortfallCode, reason.code) for reason in s.reasons)
                for s in message.shortfalls
            },
            weights_before={w.symbol: w.weight for w in summary.weights_before},
            weights_after={w.symbol: w.weight for w in summary.weights_after},
            cost=summary.cost,
            turnover_one_way=summary.turnover_one_way,
            residual_drift=summary.residual_drift,
            cash_after=summary.cash_after,
            schedule={asset.symbol: tuple(asset.remaining) for asset in message.plan.schedule},
            tax=optional_figure(summary, "tax"),
            restricted_until={r.symbol: date_from_proto(r.date) for r in message.restricted_until},
            state=plain_name(ReallocationState, message.state) if message.state else "",
            superseded_by=message.superseded_by,
            tracking_error_annual=optional_figure(summary, "tracking_error_annual"),
            stale_since=stale_since_of(message),
            proto=message,
        )

    def _repr_html_(self) -> str:
        """Figures and tables, for a notebook."""
        from absfin.notebook import html_of_result  # which is built from results

        return html_of_result(self)


@dataclass(frozen=True, slots=True)
class ReallocationPage:
    """Stored reallocations, newest first, without their trades."""

    summaries: tuple[ListReallocationsResponse.Summary, ...]
    next_page_token: str


@dataclass(frozen=True, slots=True)
class ImportReceipt:
    """Number of values that an import inserted, changed and left unchanged, and what is probably not meant."""

    import_id: str
    inserted: int
    changed: int
    unchanged: int
    symbols: int
    warnings: tuple[ResultWarning, ...]
    proto: ImportPricesResponse = field(repr=False)

    @classmethod
    def from_proto(cls, message: ImportPricesResponse) -> "ImportReceipt":
        """From the response."""
        return cls(
            message.import_id,
            message.inserted_count,
            message.changed_count,
            message.unchanged_count,
            message.symbol_count,
            warnings_of(message),
            message,
        )


def trade_of(trade: PlannedTrade) -> Trade:
    """One trade of a plan."""
    return Trade(
        step=trade.step,
        symbol=trade.symbol,
        quantity=trade.quantity,
        price=trade.price,
        cost=trade.cost,
        cash_after=trade.cash_after,
        day=trade.day,
        lots=lot_sales_of(trade),
        harvested_quantity=trade.harvested_quantity,
        substitute_for=tuple(trade.substitute_for),
        crossed_quantity=trade.crossed_quantity,
    )


def lot_sales_of(trade: PlannedTrade) -> tuple[LotSale, ...]:
    """The tax lots that a trade sells."""
    return tuple(LotSale(lot.lot_id, lot.quantity, lot.gain, plain_name(Term, lot.term)) for lot in trade.lots)


def stale_since_of(message: Any) -> datetime | None:
    """Since when a stored result is stale, None where it is not."""
    return message.stale_since.ToDatetime(UTC) if message.HasField("stale_since") else None


def optional_figure(message: Any, name: str) -> float | None:
    """A field of a message, None where the server left it out."""
    return float(getattr(message, name)) if message.HasField(name) else None
