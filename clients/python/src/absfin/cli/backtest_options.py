"""Converts the options of a backtest to arguments of the client: each error names its option."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import typer
from absfinance.v1.backtest_pb2 import Rebalancing
from absfinance.v1.statistical_validation_pb2 import StatisticalValidationOptions

from absfin import constraints, strategies
from absfin.cash_flows import CashFlow, RecurringCashFlow
from absfin.choices import choice
from absfin.cli.csv_files import read_liquidity, read_rates, read_weights
from absfin.cli.options import OBJECTIVES, objective_of, option
from absfin.costs import Costs, PerformanceFee, RateAnnual, trading_costs
from absfin.significance import statistical_validation

FREQUENCIES = ("daily", "weekly", "monthly", "quarterly", "semiannual", "annual")
DAY_COUNTS = {"act365": "act_365f", "act365f": "act_365f", "act360": "act_360", "bars": "bars"}
"""Names of an option, and those of the client."""

STRATEGIES = tuple(dict.fromkeys(("equal-weight", "inverse-volatility", "momentum", *OBJECTIVES)))


def strategy_of(
    name: str,
    lookback: int | None,
    risk_measure: str,
    limits: list[constraints.Constraint],
    *,
    top: int | None = None,
    skip: int = 0,
) -> strategies.Strategy:
    """The strategy of a name: a formula, or an objective that is optimised over the past periods."""
    if name == "equal-weight":
        return strategies.equal_weight()
    if name == "inverse-volatility":
        return strategies.inverse_volatility(lookback)
    if name == "momentum":
        if lookback is None or top is None:
            raise typer.BadParameter("momentum needs --lookback and --top", param_hint="--strategy")
        return strategies.momentum(lookback, top, skip=skip)
    if name not in OBJECTIVES:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(STRATEGIES)}", param_hint="--strategy")
    objective = objective_of(name, risk_free_rate=0.0, risk_aversion=3.0)
    return strategies.optimize(
        objective,
        lookback,
        constraints=limits,
        risk_measure=risk_measure,  # type: ignore[arg-type]  # the client checks it
        label=name,
    )


def selected_or(
    named: str, select: str, by: str, strategy: Callable[[str], strategies.Strategy]
) -> strategies.Strategy:
    """The strategy of a name, or the best of several by a score over past periods: "sharpe:252", or with a purge."""
    if not select:
        if by:
            raise typer.BadParameter("needs --select", param_hint="--by")
        return strategy(named)
    score, _, periods = (by or "sharpe:252").partition(":")
    lookback, _, purge = periods.partition(":")
    if not lookback.isdigit() or not (purge or "0").isdigit():
        raise typer.BadParameter(f"{by!r} is not score:periods, such as sharpe:252, or sharpe:252:5", param_hint="--by")
    candidates = [strategy(name.strip()) for name in select.split(",")]
    with option("--by"):
        return strategies.select(
            candidates,
            int(lookback),
            score=score.replace("-", "_"),  # type: ignore[arg-type]  # the client checks it
            purge=int(purge or "0"),
        )


def overlaid(
    base: strategies.Strategy,
    target_volatility: float | None,
    max_leverage: float | None,
    lookback: int | None,
    cppi: str,
) -> strategies.Strategy:
    """A strategy scaled to a volatility, or insured from a floor ("0.8:4": floor and multiplier)."""
    if target_volatility is not None:
        if lookback is None:
            raise typer.BadParameter("needs --lookback", param_hint="--target-volatility")
        base = strategies.volatility_target(base, target_volatility, lookback, max_leverage=max_leverage)
    if cppi:
        floor, _, multiplier = cppi.partition(":")
        with option("--cppi"):
            try:
                base = strategies.cppi(base, float(floor), float(multiplier))
            except ValueError:
                raise typer.BadParameter(f"{cppi!r} is not floor:multiplier, such as 0.8:4") from None
    return base


def schedule_of(text: str) -> Rebalancing:
    """The dates of a name such as "monthly", "monthly:last", "monthly:10" or "never", or of a number of periods."""
    if text == "never":
        return strategies.never()
    if text.isdigit() and int(text) > 0:
        return strategies.every_periods(int(text))
    frequency, _, day = text.partition(":")
    is_day = day in ("", "first", "last") or (day.isdigit() and int(day) > 0)
    if frequency not in FREQUENCIES or not is_day:
        raise typer.BadParameter(
            f"{text!r} is neither a number of periods nor one of never, {', '.join(FREQUENCIES)}, the last of these "
            "with :first, :last or the number of the date in the period",
            param_hint="--rebalance",
        )
    nth = int(day) if day.isdigit() else None
    return strategies.calendar(frequency, last=day == "last", nth=nth)  # type: ignore[arg-type]  # checked above


@dataclass(frozen=True, slots=True)
class RebalancingOptions:
    """When and how far a backtest rebalances."""

    rebalance: str
    band: float | None
    band_relative: float | None
    band_to: str
    band_scope: str
    min_periods_between: int | None
    flows_only: bool
    turnover_cap: float | None
    tranches: int | None

    def rule(self) -> Rebalancing:
        """The rule: dates, a band, or both, with their limits."""
        return strategies.rebalancing(
            schedule_of(self.rebalance) if self.rebalance else None,
            band=self._band(),
            min_periods_between=self.min_periods_between,
            flows_only=self.flows_only,
            max_turnover=self.turnover_cap,
            tranches=self.tranches,
        )

    def _band(self) -> strategies.DriftBand | None:
        if self.band is None and self.band_relative is None:
            if self.band_to != "target":
                raise typer.BadParameter("needs --band or --band-relative", param_hint="--band-to")
            return None
        with option("--band-scope"):
            strategies.drift_band(1.0, scope=self.band_scope)  # type: ignore[arg-type]  # this checks it
        to, fraction = self._destination()
        return strategies.drift_band(
            self.band,
            self.band_relative,
            to=to,
            fraction=fraction,
            scope=self.band_scope,  # type: ignore[arg-type]  # checked above
        )

    def _destination(self) -> tuple[Any, float | None]:
        if self.band_to in ("target", "edge"):
            return self.band_to, None
        try:
            return "fraction", float(self.band_to)
        except ValueError:
            raise typer.BadParameter(
                f"{self.band_to!r} is none of target, edge, or a fraction such as 0.5", param_hint="--band-to"
            ) from None


@dataclass(frozen=True, slots=True)
class CostOptions:
    """What trading and holding cost."""

    cost_bps: float
    half_spread_bps: float
    commission_per_share: float | None
    min_commission: float | None
    max_commission: float | None
    fixed_fee: float | None
    impact: float | None
    liquidity: Path | None
    borrow_bps: float | None
    cash_rate: str
    financing_rate: str
    day_count: str
    fee: float | None
    performance_fee: float | None
    hurdle: float | None
    soft_hurdle: bool

    def model(self) -> Costs:
        """The model of costs."""
        with option("--liquidity"):
            liquidity = read_liquidity(self.liquidity) if self.liquidity else {}
        return trading_costs(
            self.cost_bps,
            self.half_spread_bps,
            commission_per_share=self.commission_per_share,
            min_commission=self.min_commission,
            max_commission=self.max_commission,
            fixed_fee=self.fixed_fee,
            impact=self.impact,
            daily_values={symbol: value for symbol, (value, _) in liquidity.items()},
            volatilities_annual={symbol: sd for symbol, (_, sd) in liquidity.items() if sd is not None},
            borrow_bps_annual=self.borrow_bps,
            cash_rate_annual=_rate_of("--cash-rate", self.cash_rate),
            financing_rate_annual=_rate_of("--financing-rate", self.financing_rate),
            day_count=self._day_count(),
            management_fee_annual=self.fee,
            performance_fee=self._performance_fee(),
        )

    def _day_count(self) -> Any:
        if self.day_count not in DAY_COUNTS:
            raise typer.BadParameter(f"{self.day_count!r} is none of {', '.join(DAY_COUNTS)}", param_hint="--day-count")
        return DAY_COUNTS[self.day_count]

    def _performance_fee(self) -> PerformanceFee | None:
        if self.performance_fee is None:
            if self.hurdle is not None or self.soft_hurdle:
                raise typer.BadParameter("needs --performance-fee", param_hint="--hurdle")
            return None
        return PerformanceFee(self.performance_fee, self.hurdle, "soft" if self.soft_hurdle else "hard")


def flows_of(texts: Iterable[str]) -> list[CashFlow | RecurringCashFlow]:
    """Flows such as "2020-03-16:-5000", "monthly:1000" and "annual:-4%"."""
    return [_flow_of(text) for text in texts]


def _flow_of(text: str) -> CashFlow | RecurringCashFlow:
    when, _, size = text.partition(":")
    try:
        if when in FREQUENCIES:
            if size.endswith("%"):
                return RecurringCashFlow(when, fraction_of_nav=float(size[:-1]) / 100.0)  # type: ignore[arg-type]
            return RecurringCashFlow(when, float(size))  # type: ignore[arg-type]  # one of the names
        return CashFlow(date.fromisoformat(when), float(size))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is none of date:amount, frequency:amount and frequency:percent%, such as 2020-03-16:-5000, "
            "monthly:1000 and annual:-4%",
            param_hint="--flow",
        ) from None


def _rate_of(name: str, text: str) -> RateAnnual | None:
    """A rate as a number, or rates by date from a file."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        with option(name):
            return read_rates(Path(text))


def validation_of(
    is_wanted: bool, resamples: int | None, block_length: float | None, timing_luck: int
) -> StatisticalValidationOptions | None:
    """What to validate; any of the options that have a value asks for it."""
    if not is_wanted and resamples is None and block_length is None and timing_luck == 0:
        return None
    if timing_luck < 0:
        raise typer.BadParameter("must be 0 or more", param_hint="--timing-luck")
    return statistical_validation(resamples, block_length=block_length, timing_luck_offsets=timing_luck)


def benchmarks_of(symbol: str, weights: str) -> list[str | strategies.Strategy]:
    """One symbol, fixed weights, or none. Raises BadParameter for both."""
    if symbol and weights:
        raise typer.BadParameter("give --benchmark or --benchmark-weights", param_hint="--benchmark-weights")
    if not weights:
        return [symbol] if symbol else []
    with option("--benchmark-weights"):
        return [strategies.fixed_weights(read_weights(weights, []), label="benchmark")]


def choices_of(**named: tuple[str, Any, str]) -> dict[str, Any]:
    """Names of the client from those of options. Raises UnknownChoice, which names the option."""
    found = {field: text.replace("-", "_") for field, (_, _, text) in named.items()}
    for field, (name, enum, _) in named.items():
        choice(enum, name, found[field])
    return found
