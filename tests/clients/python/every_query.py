"""Every query, objective, constraint and strategy of the client, with all its parameters set."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import absfin
from absfin import (
    Account,
    Fill,
    Holdings,
    Instrument,
    Moments,
    Panel,
    Prices,
    Quote,
    Returns,
    RiskOptions,
    Scenarios,
    Stored,
    queries,
    strategies,
)
from absfinance.v1 import (
    estimation_pb2,
    market_data_service_pb2,
    portfolio_pb2,
    reallocation_pb2,
    risk_pb2,
    risk_service_pb2,
)

PANEL = Panel.of(["A"], ["2020-01-01"], [1.0])
STORED = Stored(["A"], start=date(2020, 1, 1), end=date(2021, 1, 1))
UNIVERSE = Stored(universe="sector=A")
SCENARIOS = Scenarios(["A"], [[0.1]], 12, [1.0])
MOMENTS = Moments(["A"], [0.1], [[0.1]], 12, repair_covariance=True)
INPUTS: list[Any] = [Prices(PANEL), Returns(PANEL, 12), MOMENTS, SCENARIOS, STORED, UNIVERSE]
PANELS = [INPUTS[0], INPUTS[1], STORED]

MOMENT = datetime(2020, 1, 1, tzinfo=UTC)
ESTIMATION = estimation_pb2.Estimation()
COSTS = absfin.trading_costs(
    1.0,
    1.0,
    by_asset_bps={"A": 1.0},
    impact=1.0,
    daily_values={"A": 1.0},
    fixed_fee=1.0,
    portfolio_value=1.0,
    volatilities_annual={"A": 0.1},
    liquidity_lookback_periods=63,
    borrow_bps_annual=1.0,
    cash_rate_annual=0.1,
    financing_rate_annual=0.1,
    commission_per_share=0.1,
    min_commission=1.0,
    max_commission=2.0,
    borrow_bps_annual_by_asset={"B": 1.0},
    day_count="act_360",
    management_fee_annual=0.1,
    performance_fee=absfin.PerformanceFee(0.2, 0.05, "soft", "quarterly"),
)
RATES_BY_DATE = absfin.trading_costs(
    impact=absfin.AlmgrenImpact({"A": 1e6}, gamma=0.3, eta=0.1, execution_days=0.5),
    cash_rate_annual={date(2020, 1, 1): 0.1},
    financing_rate_annual={date(2020, 1, 1): 0.1},
)
FLOWS = [
    absfin.CashFlow(date(2020, 1, 2), 1.0, "start_of_day"),
    absfin.RecurringCashFlow("monthly", 1.0, growth_annual=0.1, start=date(2020, 1, 1), end=date(2021, 1, 1)),
    absfin.RecurringCashFlow("annual", fraction_of_nav=-0.04),
]
ACTIONS = [
    absfin.Split("A", date(2020, 1, 2), 2.0),
    absfin.CashDividend("A", date(2020, 1, 2), 1.0, date(2020, 1, 3)),
    absfin.Delisting("A", date(2020, 1, 4), -0.3),
]
SOLVER = absfin.solver_options(time_limit_seconds=1.0, tolerance=1e-6, engine="fast")
GROUPS = {"G": ["A"]}
SHARED: dict[str, Any] = {
    "constraints": [absfin.weight_bounds(0.0, 1.0)],
    "risk_measure": "cvar",
    "confidence_level": 0.9,
    "estimation": ESTIMATION,
    "missing_data": "drop_dates",
    "groups": GROUPS,
}
SPEC = strategies.spec(absfin.min_risk(), 10, **SHARED, costs=COSTS, solver=SOLVER)
RISK_OPTIONS = RiskOptions(
    minimum_acceptable_return_annual=0.1,
    measures=["cvar"],
    groups=GROUPS,
    stored_groups=["sector=A"],
    factors=1,
    benchmark_weights={"A": 1.0},
    rolling_window=3,
    rolling_figures=["sharpe"],
    stress=[
        absfin.historical_window("2008", date(2008, 1, 1), date(2009, 1, 1), label="a"),
        absfin.worst_windows(3, 2),
        absfin.asset_shocks({"A": -0.1}, propagate=True),
        absfin.factor_shocks({"F": -0.1}),
        absfin.correlation_stress(0.9, 0.5, 1.5),
    ],
    proposed_weights={"A": 1.0},
    validation=risk_pb2.ValidationOptions(),
    worst_drawdowns=3,
    drawdown_series=True,
    clusters=risk_pb2.ClusterOptions(),
    estimation=ESTIMATION,
    conventions=risk_pb2.ReportConventions(),
    volatility_filter=estimation_pb2.ExponentialWeighting(),
)
EXPOSURES = absfin.factor_exposures(["F"], ["A"], [[1.0]], PANEL)
ATTRIBUTION = absfin.attribution_options(
    ["sector"],
    model="brinson_hood_beebower",
    linking="menchero",
    separate_interaction=True,
    asset_groups={"sector=x": ["A"]},
    daily=True,
    factors=EXPOSURES,
    regression_factors=PANEL,
)
LIST: dict[str, Any] = {
    "page_size": 3,
    "page_token": "t",
    "label": "l",
    "all": True,
    "start_create_time": MOMENT,
    "end_create_time": MOMENT,
}


def optimizations() -> Iterator[Any]:
    for data in INPUTS:
        yield queries.OptimizeQuery(
            data,
            absfin.min_risk(),
            **SHARED,
            periods_per_year=12,
            current_weights={"A": 1.0},
            costs=COSTS,
            diagnose_estimation=True,
            solver=SOLVER,
            validate_only=True,
            check_feasibility=True,
            label="l",
            optimization_id="i",
        )
        account = Account("k", {"A": 1.0}, [absfin.leverage(budget=1.0)], absfin.max_return())
        yield queries.OptimizeBatchQuery(
            data, absfin.min_risk(), [account], **SHARED, periods_per_year=12, costs=COSTS, solver=SOLVER
        )
        yield queries.TraceFrontierQuery(data, 5, **SHARED, periods_per_year=12, current_weights={"A": 1.0})
    yield queries.GetOptimizationQuery("optimizations/x")
    yield queries.DeleteOptimizationQuery("optimizations/x")
    yield queries.ListOptimizationsQuery(**LIST)
    frontier = queries.TraceFrontierQuery(MOMENTS)
    yield queries.OptimizationChartsQuery("optimizations/x", ["frontier"], frontier=frontier, theme="dark")


def risks() -> Iterator[Any]:
    figures: dict[str, Any] = {"missing_data": "drop_dates", "periods_per_year": 12}
    for data in INPUTS:
        for weights in ({"A": 1.0}, Holdings({"A": 3.0}, 5.0)):
            for benchmark in (PANEL, "B"):
                yield queries.AnalyzeRiskQuery(
                    data,
                    weights,
                    **figures,
                    benchmark=benchmark,
                    confidence_level=0.9,
                    risk_free_rate_annual=0.1,
                    allow_leverage=True,
                    options=RISK_OPTIONS,
                )
    yield queries.RiskChartsQuery(queries.AnalyzeRiskQuery(MOMENTS, {"A": 1.0}), ["weights"], theme="dark")
    for data in PANELS:
        for factors in (2, PANEL):
            yield queries.EstimateRiskModelQuery(
                data,
                **figures,
                estimation=ESTIMATION,
                factors=factors,
                simulation=risk_service_pb2.SimulationOptions(),
            )

    for benchmark in (PANEL, None):
        yield queries.CompareStrategiesQuery(
            Returns(PANEL, 12),
            benchmark,
            block_length=2.0,
            resamples=200,
            seed=1,
            significance_level=0.1,
            segments=4,
        )


def attributions() -> Iterator[Any]:
    yield queries.AttributeQuery(
        *(PANEL, PANEL, PANEL, PANEL),
        model="brinson_hood_beebower",
        linking="grap",
        separate_interaction=True,
        without_periods=True,
        factors=EXPOSURES,
        regression_factors=PANEL,
    )


def backtests() -> Iterator[Any]:
    one = strategies.optimize(absfin.min_risk(), label="l")
    for data in PANELS:
        for strategy, costs in ((one, COSTS), ([one, strategies.equal_weight()], RATES_BY_DATE)):
            yield queries.BacktestQuery(
                data,
                strategy,
                rebalancing=strategies.never(),
                fill="next_open",
                lag_periods=1,
                open_prices=PANEL,
                max_participation=0.1,
                costs=costs,
                initial_capital=1.0,
                initial_holdings={"A": 1.0},
                charge_initial_purchase=False,
                fractional_holdings=False,
                cash_flows=FLOWS,
                corporate_actions=ACTIONS,
                price_basis="unadjusted",
                dividend_policy="reinvest",
                withholding_rate=0.15,
                delisting_policy="shumway_nyse",
                maintenance_ratio=0.25,
                conventions="bt",
                universe={date(2020, 1, 1): ["A"]},
                benchmarks=[strategies.benchmark("B", label="l"), strategies.equal_weight()],
                risk_free_rate_annual=0.1,
                minimum_acceptable_return_annual=0.1,
                attribution=ATTRIBUTION,
                statistical_validation=absfin.statistical_validation(
                    200,
                    timing_luck_offsets=1,
                    block_length=2.0,
                    confidence_level=0.9,
                    benchmark_sharpe_annual=0.5,
                    sub_periods=2,
                ),
                periods_per_year=12,
                missing_data="asset_states",
                seed=1,
                validate_only=True,
                label="l",
                backtest_id="i",
                wait_seconds=1.0,
            )
    plain = queries.BacktestQuery(PANELS[0], one)
    for values in ([1.0, 2.0], ["FILL_NEXT_CLOSE"], [one]):
        yield queries.SweepQuery(plain, {"p": values}, score="calmar", label="l", sweep_id="i", wait_seconds=1.0)
    yield queries.SweepQuery([plain])
    yield queries.GetSweepQuery("sweeps/x")
    yield queries.SweepTrialsQuery("sweeps/x", state="failed", order="best_first", page_size=7)
    yield queries.GetBacktestQuery("backtests/x")
    yield queries.CancelBacktestQuery("backtests/x")
    yield queries.DeleteBacktestQuery("backtests/x")
    yield queries.ListBacktestsQuery(**LIST, state="running")
    yield queries.BacktestSeriesQuery("backtests/x", "weights", "l")
    yield queries.BacktestChartsQuery("backtests/x", ["equity"], label="l", theme="dark")


SCHEDULE = absfin.AlmgrenChriss(
    1e-6, 5, 1e-6, permanent=1e-7, fixed=0.1, volatilities=[0.9], correlation=[[1.0]], hedge=True
)
TAX = absfin.TaxLimits(
    "hifo",
    short_term_rate=0.37,
    long_term_rate=0.2,
    long_term_after_days=365,
    carry_forward=1.0,
    gain_budget=1.0,
    wash_sale_days=30,
    forbid_wash_sales=True,
    identical_groups=[["A", "B"]],
    harvest_losses=True,
    substitutes={"A": "C", "B": ["C", "D"]},
)


def reallocations() -> Iterator[Any]:
    quote = Quote("A", 1.0, 2.0, 3.0, 4.0, halted=True, volatility_annual=0.1, currency="EUR")
    lots = {"A": [absfin.TaxLot(1.0, 2.0, date(2020, 1, 1), "a", date(2019, 1, 1))]}
    for portfolio in ("portfolios/x", Holdings({"A": 1.0}, 2.0, lots), portfolio_pb2.Portfolio()):
        for market in (STORED, [quote]):
            for target in ({"A": 1.0}, SPEC):
                yield queries.ReallocateQuery(
                    portfolio,
                    market,
                    target,
                    max_utilization=0.1,
                    drift_band=0.1,
                    max_participation=0.1,
                    min_trade_value=1.0,
                    cash_floor=1.0,
                    max_turnover=0.1,
                    relative_band=0.1,
                    max_tracking_error_annual=0.1,
                    max_cost_bps=1.0,
                    cost_aversion=1.0,
                    tax_aversion=1.0,
                    deviation="tracking_error",
                    correlation=() if market is STORED else [[1.0]],
                    direction="buy_only",
                    no_new_names=True,
                    cash_flow=1.0,
                    retain_cash=True,
                    disabled_constraints=["l"],
                    fx_rates={"EUR": 1.1},
                    previous_fx_rates={"EUR": 1.0},
                    cost_benefit=(1.0, 30),
                    groups={"g": ["A"]},
                    fractional=True,
                    costs=COSTS,
                    horizon_days=2,
                    settlement_days=1,
                    schedule=SCHEDULE,
                    tax=TAX,
                    as_of_date=date(2020, 2, 1),
                    recent_trades=[absfin.RecentTrade("A", -1.0, date(2020, 1, 1), -1.0, 2.0)],
                    other_purchases=[absfin.OtherPurchase("A", 1.0, date(2020, 1, 1), True)],
                    label="l",
                    reallocation_id="i",
                    validate_only=True,
                )
    yield queries.ReallocateQuery("portfolios/x", STORED, absfin.strategies.remote("here:1", timeout_seconds=1.0))
    fill = Fill("f", "A", 1.0, 2.0, datetime(2020, 1, 2, tzinfo=UTC), 0.1, "l", 2.0, 2.0)
    for name in ("reallocations/x", "portfolios/x"):
        yield queries.RecordFillsQuery(name, [fill], last_prices={"A": 2.0}, etag="e", fees_in_gains=True)
    yield queries.ReallocateBatchQuery([quote], [queries.PortfolioAccount("k", "portfolios/x", {"A": 1.0})], {"A": 1.0})
    one = queries.PortfolioAccount(
        "k",
        absfin.Holdings({"A": 1.0}),
        thresholds=portfolio_pb2.Thresholds(drift_band=0.1),
        limits=reallocation_pb2.ReallocationLimits(cash_floor=1.0),
        direction="buy_only",
        cash_flow=1.0,
        disabled_constraints=["l"],
        recent_trades=[absfin.RecentTrade("A", -1.0, date(2020, 1, 1), -1.0, 2.0)],
        other_purchases=[absfin.OtherPurchase("A", 1.0, date(2020, 1, 1), True)],
        priority=1,
        allow_crossing=True,
    )
    yield queries.ReallocateBatchQuery(
        STORED,
        [one],
        SPEC,
        thresholds=portfolio_pb2.Thresholds(drift_band=0.1),
        limits=reallocation_pb2.ReallocationLimits(max_participation=0.1),
        costs=COSTS,
        horizon_days=2,
        settlement_days=1,
        as_of_date=date(2020, 2, 1),
        liquidity_allocation="max_min",
        allow_crossing=False,
    )
    yield queries.GetReallocationQuery("reallocations/x")
    yield queries.ReallocationChartsQuery("reallocations/x", ["liquidity"], theme="dark")
    yield queries.DeleteReallocationQuery("reallocations/x")
    yield queries.ListReallocationsQuery(**LIST, portfolio="portfolios/x", state="superseded")


BATCHES = (
    market_data_service_pb2.PublishMarketDataRequest(
        batch_id="1", bars=[market_data_service_pb2.PublishMarketDataRequest.Bar(symbol="A")]
    ),
    market_data_service_pb2.PublishMarketDataRequest(
        batch_id="2", quotes=[market_data_service_pb2.PublishMarketDataRequest.Quote(symbol="A")]
    ),
)


def stored() -> Iterator[Any]:
    yield queries.ImportPricesQuery(PANEL, field="open", source="s")
    yield queries.PublishMarketDataQuery(BATCHES)
    yield queries.PricesQuery(STORED)
    yield queries.MarketMetricsQuery(["A"])
    yield queries.AssessLiquidityQuery({"A": 1.0}, max_participation=0.1, horizon_days=2)
    yield queries.UpsertInstrumentsQuery([Instrument("A", "a", "USD", {"sector": "A"}, 1.0, "halted")])
    yield queries.InstrumentsQuery("sector=A")
    yield queries.UpsertCorporateActionsQuery(ACTIONS)
    yield queries.CorporateActionsQuery(["A"], date(2020, 1, 1), date(2021, 1, 1))
    yield queries.CreatePortfolioQuery(portfolio_pb2.Portfolio(name="portfolios/x"), "x")
    yield queries.GetPortfolioQuery("portfolios/x")
    yield queries.UpdatePortfolioQuery(portfolio_pb2.Portfolio(name="portfolios/x"), ["cash"])
    yield queries.DeletePortfolioQuery("portfolios/x", "e")
    yield queries.ListPortfoliosQuery(all=True)
    yield queries.GetServerInfoQuery()
    yield queries.GetQuotasQuery("users/x")
    yield queries.DrainQuery(timeout=5.0)
    yield queries.CreateApiKeyQuery(
        ["reader"], "x", api_key_id="x", expires=datetime(2100, 1, 1, tzinfo=UTC), replaces="apiKeys/y"
    )
    yield queries.ListApiKeysQuery()
    yield queries.RevokeApiKeyQuery("apiKeys/x")
    yield queries.ListNotificationsQuery(
        portfolio="portfolios/x",
        state="failed",
        min_severity="warning",
        start_create_time=MOMENT,
        end_create_time=MOMENT,
    )
    yield queries.AcknowledgeNotificationQuery("notifications/x")
    yield queries.RedeliverNotificationQuery("notifications/x")


QUERIES = [
    query for group in (optimizations, risks, attributions, backtests, reallocations, stored) for query in group()
]

CONSTRAINTS = [
    absfin.weight_bounds(0.1, 0.9, ["A"], label="l"),
    absfin.group_bounds("G", 0.1, 0.9, ["A"]),
    absfin.linear({"A": 1.0}, 0.1, 0.9),
    absfin.factor_exposure("F", {"A": 1.0}, 0.1, 0.9),
    absfin.leverage(0.1, 1.2, 1.0),
    absfin.turnover(0.1, "two_way"),
    absfin.return_floor(0.1),
    absfin.tracking_error({"A": 1.0}, 0.1),
    absfin.risk_limit("cvar", 0.1),
    absfin.cardinality(3, ["A"], "G"),
    absfin.network_limit(steps=2),
    absfin.cluster_limit(2, clusters=3, max_clusters=4),
    absfin.centrality_bounds(0.1, 0.9),
    absfin.risk_contribution_bounds(0.1, 0.9, ["A"]),
    absfin.minimum_position(0.1),
]
OBJECTIVES = [
    absfin.min_risk(),
    absfin.max_return(),
    absfin.max_utility(3.0),
    absfin.max_ratio(0.1),
    absfin.max_diversification(),
    absfin.risk_budget({"A": 1.0}),
    absfin.factor_budget({"F": 1.0}, {"F": {"A": 1.0}}),
    absfin.relaxed_risk_budget({"A": 1.0}, 0.1),
    absfin.tracking({"A": 1.0}),
    absfin.kelly("quadratic"),
    absfin.hierarchical("herc", max_clusters=3, between_columns=True, unordered_leaves=True),
    absfin.higher_moments(1.0, 0.1, 0.1, ignore_mean=True),
    absfin.equal_weight(),
    absfin.inverse_volatility(),
    *(
        absfin.worst_case(goal, "box", "ellipsoid", 0.9)
        for goal in (absfin.min_risk(), absfin.max_return(), absfin.max_utility(3.0), absfin.max_ratio())
    ),
    *(
        absfin.ordered_weighted_average([1.0], goal)
        for goal in (absfin.min_risk(), absfin.max_utility(3.0), absfin.max_ratio())
    ),
]
STRATEGIES = [
    strategies.equal_weight(label="l"),
    strategies.fixed_weights({"A": 1.0}),
    strategies.schedule({date(2020, 1, 1): {"A": 1.0}}),
    strategies.inverse_volatility(20),
    strategies.optimize(absfin.min_risk(), 20),
    strategies.momentum(20, 3, skip=1),
    strategies.volatility_target(strategies.equal_weight(), 0.1, 20, max_leverage=1.5),
    strategies.cppi(strategies.equal_weight(), 0.8, 4.0),
    strategies.blend(
        [
            (strategies.equal_weight(), 0.4),
            (strategies.inverse_volatility(), 0.3, strategies.calendar("weekly")),
            (strategies.inverse_volatility(), 0.2, strategies.every_periods(2)),
            (strategies.equal_weight(), 0.1, strategies.never()),
        ],
        rebalancing=strategies.calendar("annual"),
    ),
    strategies.select(
        [strategies.equal_weight(), strategies.inverse_volatility()],
        60,
        score="calmar",
        purge=5,
        reselect_every=3,
        before="cash",
        label="best",
    ),
    strategies.remote("here:1", timeout_seconds=1.5),
]
BAND = strategies.drift_band(
    0.05,
    0.25,
    to="fraction",
    fraction=0.5,
    scope="breached",
    by_asset={"A": (0.1, 0.2)},
    by_group={"sector=A": (0.1, 0.2)},
    trigger="cost_benefit",
    max_tracking_error_annual=0.02,
    risk_aversion=3.0,
    horizon_days=90,
)
REBALANCINGS = [
    strategies.calendar("weekly", last=True, offset_days=1),
    strategies.calendar("monthly", nth=10),
    strategies.every_periods(3),
    strategies.never(),
    strategies.rebalancing(
        strategies.calendar("annual"), band=BAND, min_periods_between=5, max_turnover=0.1, tranches=4
    ),
    strategies.rebalancing(flows_only=True),
]
