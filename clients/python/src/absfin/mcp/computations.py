"""Tools that compute and store nothing."""

from typing import Annotated

from pydantic import Field

from absfin.choices import Direction
from absfin.constraints import Constraint
from absfin.costs import trading_costs
from absfin.data import Holdings, MarketInput, Quote, Stored
from absfin.errors import AbsFinanceError
from absfin.mcp.arguments import (
    Arguments,
    Forecasts,
    ObjectiveName,
    Problem,
    Rows,
    StoredData,
    StoredLabel,
    Weights,
    WrongArgument,
    full_name,
    held_symbols,
    objective_of,
)
from absfin.mcp.compact import optimization_summary, reallocation_summary, risk_summary
from absfin.mcp.tool import Answer, Call, Tool
from absfin.objectives import Objective
from absfin.requests import Account
from absfin.results import Reallocation
from absfin.risk import RiskOptions, historical_window

KEY = "only"
"""Key of the one account of a batch: a batch computes what Optimize computes, and stores nothing."""

MAX_FRONTIER_POINTS = 100


class OptimizeArguments(Problem):
    """An optimisation."""

    objective: ObjectiveName = Field("min_risk", description="What the weights are chosen for.")
    risk_free_rate_annual: float = Field(0.0, description="For max_ratio.")
    risk_aversion: float = Field(3.0, gt=0, description="For max_utility.")
    forecasts: Forecasts | None = Field(None, description="Moments of your own, instead of stored prices.")
    max_rows: Rows = 25

    def data(self) -> MarketInput:
        """Stored prices or forecasts. Raises WrongArgument for both or none."""
        if self.forecasts is None:
            return self.stored()
        if self.symbols or self.universe:
            raise WrongArgument("forecasts", "cannot stand beside symbols and universe: it has symbols of its own")
        return self.forecasts.moments()

    def goal(self) -> Objective:
        """The objective."""
        return objective_of(self.objective, self.risk_free_rate_annual, self.risk_aversion)


class FrontierArguments(Problem):
    """A frontier."""

    points: int = Field(10, ge=2, le=MAX_FRONTIER_POINTS, description="Portfolios, evenly spaced in return.")
    max_rows: Rows = 10


class RiskArguments(StoredData):
    """A risk report."""

    weights: Weights = Field(min_length=1, description="Weight of each symbol.")
    benchmark: str = Field("", description="Stored symbol to compare with.")
    confidence_level: float | None = Field(None, gt=0, lt=1, description="Of tail measures; 0.95 if absent.")
    stress: list[str] = Field([], description='Names of known crises; ["*"] for every crisis that the data covers.')
    all_figures: bool = Field(False, description="Also every other figure, and why a figure is not defined.")
    max_rows: Rows = 25

    def stored(self) -> Stored:
        """The selection: the symbols of the weights unless others are given."""
        if self.symbols or self.universe:
            return super().stored()
        return Stored(list(self.weights), "", self.start_date, self.end_date)


class ReallocateArguments(Arguments):
    """A reallocation."""

    holdings: dict[str, float] = Field({}, description="Units of each symbol held.")
    cash: float = Field(0.0, description="Cash, in money.")
    portfolio: str = Field(
        "", max_length=80, description="Stored portfolio instead of holdings and cash: portfolios/ID, or ID."
    )
    target_weights: Weights = Field({}, description="Weights to reach; absent for the mandate of a stored portfolio.")
    prices: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {}, description="Price of each symbol; absent for stored prices."
    )
    commission_bps: float = Field(0.0, ge=0, description="Of the traded value, in basis points.")
    half_spread_bps: float = Field(0.0, ge=0, description="Of the traded value, in basis points.")
    direction: Direction = Field("both", description="buy_only sells nothing, sell_only buys nothing.")
    no_new_names: bool = Field(False, description="Buy only assets that are held.")
    fractional: bool = Field(False, description="Allow fractions of a lot.")
    cash_floor: float | None = Field(None, description="Least cash after every trade, in money.")
    cash_flow: float | None = Field(None, description="Money to invest, or to raise where it is negative.")
    drift_band: float | None = Field(None, ge=0, description="Trade only if a weight is this far from its target.")
    max_turnover: float | None = Field(None, ge=0, description="Largest one-way turnover.")
    max_cost_bps: float | None = Field(None, ge=0, description="Most that the trades may cost, of net asset value.")
    min_trade_value: float | None = Field(None, ge=0, description="Least value of a trade, in money.")
    horizon_days: int = Field(1, ge=1, description="Trading days of the plan.")
    max_rows: Rows = 50


class StoreReallocationArguments(ReallocateArguments):
    """A reallocation that is stored."""

    label: StoredLabel = ""


async def optimize(call: Call, given: OptimizeArguments) -> Answer:
    """Optimise weights over stored prices, or over forecasts of your own. Stores nothing.

    Answers with verified weights, their figures, binding constraints and a certificate. Where no weights satisfy the
    limits, the error names the arguments in conflict and how far each must be relaxed.
    """
    account = Account(KEY, given.current_weights)
    limits: list[Constraint] = given.limits()
    outcomes = call.client.optimize_batch(
        given.data(),
        given.goal(),
        [account],
        constraints=limits,
        risk_measure=given.risk_measure,
        confidence_level=given.confidence_level,
    )
    (_, outcome), *_ = [one async for one in outcomes]
    if isinstance(outcome, AbsFinanceError):
        raise outcome
    return optimization_summary(outcome, given.max_rows)


async def trace_frontier(call: Call, given: FrontierArguments) -> Answer:
    """Trace the efficient frontier over stored prices, from the highest return to the least risk. Stores nothing."""
    portfolios = []
    found = call.client.trace_frontier(
        given.stored(),
        given.points,
        current_weights=given.current_weights,
        constraints=given.limits(),
        risk_measure=given.risk_measure,
        confidence_level=given.confidence_level,
    )
    async for one in found:
        held = sorted(one.weights.items(), key=lambda item: -abs(item[1]))[: given.max_rows]
        portfolios.append(
            {
                "expected_return_annual": one.expected_return_annual,
                "volatility_annual": one.volatility_annual,
                "risk": one.risk,
                "largest_weights": {symbol: weight for symbol, weight in held if abs(weight) >= 1e-6},
            }
        )
        await call.report(len(portfolios) / given.points, f"{len(portfolios)} of {given.points} portfolios")
    return {"portfolios": portfolios}


async def analyze_risk(call: Call, given: RiskArguments) -> Answer:
    """Report the risk of constant weights over stored prices. Losses are positive numbers. Stores nothing."""
    found = await call.client.analyze_risk(
        given.stored(),
        given.weights,
        benchmark=given.benchmark or None,
        confidence_level=given.confidence_level,
        options=RiskOptions(stress=[historical_window(name) for name in given.stress]),
    )
    return risk_summary(found, given.max_rows, all_figures=given.all_figures)


async def reallocate(call: Call, given: ReallocateArguments) -> Answer:
    """Plan the trades that take a portfolio to target weights. Stores nothing, and executes nothing.

    Quantities are in units, negative for sales. The plan is in the order in which cash never falls below its floor.
    """
    return reallocation_summary(await planned(call, given), given.max_rows)


async def planned(call: Call, given: ReallocateArguments, *, label: str = "", stored: bool = False) -> Reallocation:
    """The plan of a reallocation, which the server keeps where it is `stored`."""
    if given.portfolio and (given.holdings or given.cash):
        raise WrongArgument("portfolio", "cannot stand beside holdings and cash")
    if not given.portfolio and not given.target_weights:
        raise WrongArgument("target_weights", "give the weights to reach, or a stored portfolio that has a mandate")
    name = full_name(given.portfolio, "portfolios", "portfolio") if given.portfolio else ""
    return await call.client.reallocate(
        name or Holdings(given.holdings, given.cash),
        await _market(call, given, name),
        given.target_weights or None,
        costs=trading_costs(given.commission_bps, given.half_spread_bps),
        direction=given.direction,
        no_new_names=given.no_new_names,
        fractional=given.fractional,
        cash_floor=given.cash_floor,
        cash_flow=given.cash_flow,
        drift_band=given.drift_band,
        max_turnover=given.max_turnover,
        max_cost_bps=given.max_cost_bps,
        min_trade_value=given.min_trade_value,
        horizon_days=given.horizon_days,
        label=label,
        validate_only=not stored,
    )


async def _market(call: Call, given: ReallocateArguments, portfolio: str) -> Stored | list[Quote]:
    """The given prices, or the stored ones of what is held and of what is wanted."""
    if given.prices:
        return [Quote(symbol, price) for symbol, price in given.prices.items()]
    held: dict[str, float] = given.holdings
    if portfolio:
        held = {one.symbol: one.quantity for one in (await call.client.get_portfolio(portfolio)).holdings}
    return Stored(held_symbols(held, given.target_weights))


TOOLS = (
    Tool(OptimizeArguments, optimize),
    Tool(FrontierArguments, trace_frontier),
    Tool(RiskArguments, analyze_risk),
    Tool(ReallocateArguments, reallocate),
)
