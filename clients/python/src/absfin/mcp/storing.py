"""Tools that change what the server keeps: they are offered on request alone. None deletes, and none trades."""

from contextlib import suppress
from typing import Literal

import anyio
from absfinance.v1.backtest_pb2 import Rebalancing, Strategy
from pydantic import Field

from absfin import rebalancing, strategies
from absfin.choices import Frequency
from absfin.costs import trading_costs
from absfin.errors import AbsFinanceError
from absfin.mcp.arguments import (
    Named,
    ObjectiveName,
    RiskChoice,
    Rows,
    StoredData,
    StoredLabel,
    WeightLimits,
    Weights,
    WrongArgument,
    objective_of,
)
from absfin.mcp.compact import optimization_summary, reallocation_summary
from absfin.mcp.computations import OptimizeArguments, StoreReallocationArguments, planned
from absfin.mcp.stored_results import WaitSeconds, followed
from absfin.mcp.tool import Answer, Call, Tool

STOP_SECONDS = 10.0
"""Time limit of stopping the job of a call that was cancelled."""

StrategyName = Literal["fixed_weights", "momentum", ObjectiveName]


class StoreOptimizationArguments(OptimizeArguments):
    """An optimisation that is stored."""

    label: StoredLabel = ""


class BacktestArguments(StoredData, WeightLimits, RiskChoice):
    """A backtest."""

    strategy: StrategyName = Field(
        "equal_weight", description="A formula, or an objective that is optimised at each decision over the past."
    )
    weights: Weights = Field({}, description="For fixed_weights.")
    lookback_periods: int | None = Field(
        None, ge=1, description="Past periods that a decision uses; all if absent. momentum needs it."
    )
    top_n: int | None = Field(None, ge=1, description="Number of assets that momentum holds.")
    skip_periods: int = Field(0, ge=0, description="Latest periods that momentum leaves out.")
    rebalance: Literal[Frequency, "never"] | None = Field(
        None, description="Dates of decisions; monthly if absent, or none beside a drift_band."
    )
    drift_band: float | None = Field(None, gt=0, description="Rebalance where a weight is this far from its target.")
    commission_bps: float = Field(0.0, ge=0, description="Of the traded value, in basis points.")
    half_spread_bps: float = Field(0.0, ge=0, description="Of the traded value, in basis points.")
    initial_capital: float | None = Field(None, gt=0, description="Cash at the start, in money; 1 if absent.")
    benchmark: str = Field("", description="Stored symbol to compare with.")
    label: StoredLabel = ""
    wait_seconds: WaitSeconds = 45.0
    max_rows: Rows = 25

    def chosen_strategy(self) -> Strategy:
        """The strategy. Raises WrongArgument where it lacks something."""
        if self.strategy == "fixed_weights":
            if not self.weights:
                raise WrongArgument("weights", "is needed by the strategy fixed_weights")
            return strategies.fixed_weights(self.weights)
        if self.weights:
            raise WrongArgument("weights", "goes with the strategy fixed_weights alone")
        if self.strategy == "momentum":
            if self.lookback_periods is None or self.top_n is None:
                missing = "lookback_periods" if self.lookback_periods is None else "top_n"
                raise WrongArgument(missing, "is needed by the strategy momentum")
            return strategies.momentum(self.lookback_periods, self.top_n, skip=self.skip_periods)
        return self._by_objective()

    def _by_objective(self) -> Strategy:
        limits = self.limits()
        if not limits and self.strategy == "equal_weight":
            return strategies.equal_weight()
        if not limits and self.strategy == "inverse_volatility":
            return strategies.inverse_volatility(self.lookback_periods)
        return strategies.optimize(
            objective_of(self.strategy, 0.0, 3.0),
            self.lookback_periods,
            constraints=limits,
            risk_measure=self.risk_measure,
            confidence_level=self.confidence_level,
            label=self.strategy,
        )

    def dates(self) -> Rebalancing:
        """When to rebalance."""
        band = None if self.drift_band is None else rebalancing.drift_band(self.drift_band)
        if self.rebalance is None:
            return rebalancing.rebalancing(band=band)
        schedule = rebalancing.never() if self.rebalance == "never" else rebalancing.calendar(self.rebalance)
        return rebalancing.rebalancing(schedule, band=band)


async def optimize_and_store(call: Call, given: StoreOptimizationArguments) -> Answer:
    """Optimise weights as optimize does, and keep the result under a name."""
    found = await call.client.optimize(
        given.data(),
        given.goal(),
        constraints=given.limits(),
        current_weights=given.current_weights,
        risk_measure=given.risk_measure,
        confidence_level=given.confidence_level,
        label=given.label,
    )
    return optimization_summary(found, given.max_rows)


async def reallocate_and_store(call: Call, given: StoreReallocationArguments) -> Answer:
    """Plan trades as reallocate does, and keep the plan under a name. Executes nothing."""
    return reallocation_summary(await planned(call, given, label=given.label, stored=True), given.max_rows)


async def backtest(call: Call, given: BacktestArguments) -> Answer:
    """Simulate a strategy over stored prices, as a job that the server keeps, with notices of its progress.

    It answers with the figures, or with the name of the job where it has not ended within wait_seconds; follow_backtest
    waits on, and get_backtest_series reads its series. A job whose call is cancelled is stopped: with wait_seconds of 0
    the call answers at once, and cancel_backtest stops the job.
    """
    with anyio.CancelScope(shield=True):  # a job that began has to be known by its name, to be stopped
        started = await call.client.backtest(
            given.stored(),
            given.chosen_strategy(),
            rebalancing=given.dates(),
            costs=trading_costs(given.commission_bps, given.half_spread_bps),
            initial_capital=given.initial_capital,
            benchmarks=[given.benchmark] if given.benchmark else [],
            label=given.label,
        )
    try:
        return await followed(call, started.name, given.wait_seconds, given.max_rows)
    except anyio.get_cancelled_exc_class():
        await _stop(call, started.name)
        raise


async def _stop(call: Call, name: str) -> None:
    """Stops a job that nobody waits for. What prevents it is not told: nobody listens any more."""
    with anyio.move_on_after(STOP_SECONDS, shield=True), suppress(AbsFinanceError):
        await call.client.cancel_backtest(name)


async def cancel_backtest(call: Call, given: Named) -> Answer:
    """Stop a backtest; one that has ended is unchanged."""
    found = await call.client.cancel_backtest(given.full_name("backtests"))
    return {"name": found.name, "state": found.state}


TOOLS = (
    Tool(StoreOptimizationArguments, optimize_and_store, stores=True, repeatable=False),
    Tool(StoreReallocationArguments, reallocate_and_store, stores=True, repeatable=False),
    Tool(BacktestArguments, backtest, stores=True, repeatable=False),
    Tool(Named, cancel_backtest, stores=True),
)
