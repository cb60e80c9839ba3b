"""Both clients against a real server: the same calls, the same answers, the same exceptions."""

import inspect
from collections.abc import Callable
from datetime import date
from typing import Any

import absfin
import grpc
import numpy as np
import pandas as pd
import pytest
from absfin import (
    Client,
    Holdings,
    Instrument,
    Moments,
    Panel,
    Prices,
    Quote,
    Returns,
    Scenarios,
    Stored,
    aio,
    errors,
    strategies,
)
from absfinance.v1.reallocation_pb2 import ReallocationLimits
from absfinance.v1.risk_service_pb2 import SimulationOptions

from tests.conftest import RunningServer

SYMBOLS = ("X", "Y", "Z")
RNG = np.random.default_rng(3)
RETURNS = RNG.normal(0.0008, 0.01, (120, 3))
PRICES = 100.0 * np.cumprod(1.0 + RETURNS, axis=0)
DAYS = pd.bdate_range("2020-01-01", periods=120)
PANEL = Panel.of(SYMBOLS, DAYS.to_numpy(), PRICES)
FRAME = pd.DataFrame(PRICES, index=DAYS, columns=list(SYMBOLS))

Call = Callable[..., Any]


def test_both_clients_have_the_same_methods_and_parameters() -> None:
    def surface(kind: type) -> dict[str, list[tuple[str, Any]]]:
        return {
            name: [(p.name, p.default) for p in inspect.signature(member).parameters.values()]
            for name, member in vars(kind).items()
            if callable(member) and not name.startswith("_")
        }

    assert surface(Client) == surface(aio.Client)
    assert len(surface(Client)) >= 9


@pytest.mark.parametrize(
    "data",
    [
        Prices(PANEL),
        Prices(FRAME),
        Returns(Panel.of(SYMBOLS, DAYS[1:].to_numpy(), PRICES[1:] / PRICES[:-1] - 1.0), 252),
        Returns(FRAME.pct_change().dropna(), 252),
        Scenarios(SYMBOLS, PRICES[1:] / PRICES[:-1] - 1.0, 252),
    ],
    ids=["prices", "frame of prices", "returns", "frame of returns", "scenarios"],
)
def test_every_form_of_the_data_gives_the_same_weights(call: Call, data: Any) -> None:
    answer = call("optimize", data, absfin.min_risk())
    inverse = np.linalg.solve(np.cov((PRICES[1:] / PRICES[:-1] - 1.0).T), np.ones(3))
    # Scenarios are a whole population, so their covariance is smaller by (n - 1) / n; the weights do not see it.
    assert list(answer.weights.values()) == pytest.approx(inverse / inverse.sum(), abs=1e-7)
    assert list(answer.weights) == list(SYMBOLS)
    assert answer.certificate.max_constraint_violation <= 1e-8
    assert answer.certificate.duality_gap <= 1e-7


def test_moments_constraints_and_current_weights(call: Call) -> None:
    data = Moments(SYMBOLS, RETURNS.mean(axis=0), np.cov(RETURNS.T), 252)
    answer = call(
        "optimize",
        data,
        absfin.max_ratio(),
        constraints=[absfin.weight_bounds(0.3, 0.4, label="bounds"), absfin.turnover(0.9, label="trades")],
        current_weights={"X": 1.0},
    )
    assert min(answer.weights.values()) >= 0.3 - 1e-9
    assert max(answer.weights.values()) <= 0.4 + 1e-9
    assert answer.turnover_one_way == pytest.approx(1.0 - answer.weights["X"])
    assert "bounds" in {binding.label for binding in answer.binding}
    assert answer.to_pandas().sum() == pytest.approx(1.0)


def test_no_expected_returns_where_none_are_needed(call: Call) -> None:
    answer = call("optimize", Moments(SYMBOLS, None, np.cov(RETURNS.T), 252), absfin.risk_budget())
    assert answer.expected_return_annual is None
    assert [c / answer.volatility_annual for c in answer.risk_contributions.values()] == pytest.approx([1 / 3] * 3)


def test_results_are_kept(call: Call) -> None:
    made = call("optimize", Prices(PANEL), absfin.equal_weight())
    assert call("get_optimization", made.name).weights == made.weights
    made = call("optimize", Prices(PANEL), absfin.equal_weight())
    page = call("list_optimizations", page_size=1)
    assert page.summaries[0].name == made.name
    assert page.next_page_token


def test_a_request_id_gives_the_first_answer_again(call: Call, request: pytest.FixtureRequest) -> None:
    key = request.node.name
    first = call("optimize", Prices(PANEL), absfin.equal_weight(), request_id=key)
    assert call("optimize", Prices(PANEL), absfin.equal_weight(), request_id=key).name == first.name
    with pytest.raises(errors.InvalidInput) as raised:
        call("optimize", Prices(PANEL), absfin.min_risk(), request_id=key)
    assert raised.value.reason == "REQUEST_ID_REUSED"


def test_risk_of_weights_beside_a_benchmark(call: Call) -> None:
    report = call("analyze_risk", Prices(FRAME), {"X": 0.5, "Y": 0.5}, benchmark=FRAME["Z"], confidence_level=0.9)
    returns = FRAME.pct_change().dropna()
    portfolio = returns[["X", "Y"]].mean(axis=1)
    assert report.volatility_annual == pytest.approx(portfolio.std() * 252**0.5)
    assert report.beta_to_benchmark == pytest.approx(portfolio.cov(returns["Z"]) / returns["Z"].var())
    assert report.value_at_risk["historical"] == pytest.approx(-portfolio.quantile(0.1))
    assert report.correlation == pytest.approx(returns.corr().to_numpy())
    assert report.contributions["Z"] == 0.0
    assert sum(report.contributions.values()) == pytest.approx(report.volatility_annual)


def test_everything_around_a_risk_report(call: Call) -> None:
    options = absfin.RiskOptions(
        measures=["cvar", "ulcer_index"],
        groups={"pair": ["X", "Y"]},
        factors=1,
        rolling_window=20,
        rolling_figures=["sharpe"],
        stress=[
            absfin.asset_shocks({"pair": -0.1}, label="shock"),
            absfin.factor_shocks({"PC1": -0.1}),
            absfin.worst_windows(5, label="worst"),
            absfin.correlation_stress(1.0, 0.5),
            absfin.historical_window("financial_crisis_2007"),
        ],
        proposed_weights={"Z": 1.0},
    )
    report = call("analyze_risk", Prices(FRAME), {"X": 0.5, "Y": 0.5}, options=options)
    assert sum(report.measures["cvar"].values()) == pytest.approx(report.conditional_value_at_risk["historical"])
    assert report.figures["volatility_annual"] == report.volatility_annual
    days, values = report.rolling["sharpe"]
    assert len(days) == len(values) == len(FRAME) - 20
    shock, _, worst, together, crisis = report.stress
    assert shock.portfolio_return == pytest.approx(-0.1)
    assert worst.portfolio_return < 0.0
    assert together.volatility_annual > 0.0
    assert "does not cover" in crisis.undefined
    assert report.proto.proposed.turnover_one_way == pytest.approx(1.0)


def test_risk_of_holdings(call: Call) -> None:
    worth = {"X": 3.0 * PRICES[-1, 0], "Y": -1.0 * PRICES[-1, 1]}
    total = sum(worth.values()) + 50.0
    held = call("analyze_risk", Prices(PANEL), Holdings({"X": 3.0, "Y": -1.0}, cash=50.0))
    weights = {symbol: value / total for symbol, value in worth.items()}
    weighed = call("analyze_risk", Prices(PANEL), weights, allow_leverage=True)
    assert held.volatility_annual == pytest.approx(weighed.volatility_annual, rel=1e-9)


def test_a_risk_model(call: Call) -> None:
    model = call("estimate_risk_model", Prices(FRAME), factors=2, simulation=SimulationOptions(paths=7, periods=2))
    returns = FRAME.pct_change().dropna()
    assert model.symbols == tuple(FRAME.columns)
    assert model.covariance == pytest.approx(returns.cov().to_numpy(), rel=1e-9)
    assert model.expected_returns == pytest.approx(returns.mean().to_numpy(), rel=1e-9)
    assert model.arrays["simulated_returns"].shape == (14, len(model.symbols))
    assert list(model.diagnostics.factors) == ["PC1", "PC2"]


def test_what_is_imported_comes_back(call: Call, request: pytest.FixtureRequest) -> None:
    names = [f"{request.node.name}-{symbol}".replace("[", "-").replace("]", "") for symbol in SYMBOLS]
    told: list[tuple[int, int]] = []
    receipt = call("import_prices", FRAME.set_axis(names, axis=1), source="test", on_progress=lambda *n: told.append(n))
    assert (receipt.inserted, receipt.changed, receipt.unchanged, receipt.symbols) == (360, 0, 0, 3)
    assert told[-1] == (360, 360)
    back = call("prices", Stored(names, start=date(2020, 2, 3), end=date(2020, 2, 28)))
    expected = FRAME.loc["2020-02-03":"2020-02-28"]
    assert back.to_pandas().to_numpy() == pytest.approx(expected.to_numpy(), rel=0, abs=0)
    assert back.to_pandas().index.equals(expected.index.astype(back.to_pandas().index.dtype))
    label = f"kind={request.node.name}"
    count = call("upsert_instruments", [Instrument(names[0], "An X", "EUR", {"kind": request.node.name}, 10.0)])
    assert count == 1
    assert call("instruments", label) == [Instrument(names[0], "An X", "EUR", {"kind": request.node.name}, 10.0)]
    assert call("optimize", Stored(universe=label), absfin.equal_weight()).weights == {names[0]: 1.0}


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (errors.InvalidInput, (Prices(PANEL), absfin.max_utility(-1.0))),
        (errors.MissingMarketData, (Stored(["NOT_STORED"]), absfin.min_risk())),
        (errors.NoPositiveExcessReturn, (Moments("A", [-0.1], [[0.1]], 1), absfin.max_ratio())),
    ],
)
def test_a_refusal_is_an_exception_of_its_reason(call: Call, kind: type[Exception], arguments: tuple[Any, ...]) -> None:
    with pytest.raises(kind) as raised:
        call("optimize", *arguments)
    assert isinstance(raised.value, errors.AbsFinanceError)
    assert raised.value.reason
    assert not raised.value.RETRYABLE


def test_invalid_input_names_the_field(call: Call) -> None:
    with pytest.raises(errors.InvalidInput) as raised:
        call("analyze_risk", Prices(PANEL), {"Q": 1.0})
    assert [violation.field for violation in raised.value.violations] == ["weights[0].symbol"]


def test_a_conflict_names_its_constraints(call: Call) -> None:
    constraints = [absfin.weight_bounds(upper=0.2, label="caps"), absfin.return_floor(-1.0, label="harmless")]
    with pytest.raises(errors.InfeasibleProblem) as raised:
        call("optimize", Prices(PANEL), absfin.min_risk(), constraints=constraints)
    assert {conflict.label for conflict in raised.value.conflicts} == {"caps", "default:budget"}


def test_not_found(call: Call) -> None:
    with pytest.raises(errors.NotFound):
        call("get_optimization", "optimizations/none")


def test_a_timeout_is_typed(call: Call) -> None:
    """Of what takes a tenth of a second on the fastest machine."""
    many = 100.0 * np.cumprod(1.0 + np.random.default_rng(4).normal(0.0008, 0.01, (2000, 100)), axis=0)
    prices = Prices(Panel.of([f"S{i}" for i in range(100)], np.arange(2000), many))
    with pytest.raises(errors.DeadlineExceeded) as raised:
        call("optimize", prices, absfin.min_risk(), risk_measure="cvar", timeout=0.01)
    assert raised.value.RETRYABLE


def test_a_server_that_is_not_there() -> None:
    with Client("127.0.0.1:1", timeout=60.0) as client:
        with pytest.raises(TimeoutError):
            client.wait_until_ready(0.3)
        with pytest.raises(errors.Unavailable):
            client.optimize(Prices(PANEL), absfin.min_risk())


def test_threads_share_a_client(server: RunningServer) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with Client(server.address) as client, ThreadPoolExecutor(16) as pool:
        weights = list(pool.map(lambda _: client.optimize(Prices(PANEL), absfin.min_risk()).weights, range(64)))
    assert all(w == weights[0] for w in weights)


def test_an_error_without_details_keeps_its_code() -> None:
    class Bare(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.RESOURCE_EXHAUSTED

        def details(self) -> str:
            return "message too large"

        def trailing_metadata(self) -> tuple[()]:
            return ()

    error = errors.error_from_call(Bare())
    assert isinstance(error, errors.Overloaded)
    assert str(error) == "message too large"
    assert error.reason == ""


def test_a_backtest_with_its_series(call: Call) -> None:
    done = call(
        "backtest",
        Prices(FRAME),
        [strategies.equal_weight(), strategies.fixed_weights({"X": 1.0}), strategies.inverse_volatility(20)],
        rebalancing=strategies.calendar("weekly", last=True),
        fill="same_close",
        commission_bps=10,
        initial_capital=1000,
        benchmarks=["Y", strategies.equal_weight(label="half")],
        wait_seconds=30,
    )
    assert done.state == "succeeded"
    assert [one.label for one in done.strategies] == ["equal_weight", "fixed_weights", "inverse_volatility"]
    assert [one.label for one in done.benchmarks] == ["Y", "half"]
    assert done.metrics["final_wealth"] == pytest.approx(done.benchmarks[1].metrics["final_wealth"], rel=1e-12)
    equity = call("backtest_series", done.name, "equity", "fixed_weights")
    assert equity.values[0, 0] == 1000.0
    assert equity.values[-1, 0] / 1000.0 == pytest.approx(done.strategies[1].metrics["final_wealth"])
    weights = call("backtest_series", done.name, "weights").to_pandas()
    assert list(weights.columns) == list(SYMBOLS)
    assert call("list_backtests", 1).summaries[0].name == done.name
    call("delete_backtest", done.name)
    with pytest.raises(errors.NotFound):
        call("get_backtest", done.name)


def test_a_schedule(call: Call) -> None:
    plan = {date(2020, 1, 6): {"X": 1.0}, date(2020, 3, 2): {"Y": 0.5}}
    done = call("backtest", Prices(FRAME), strategies.schedule(plan), rebalancing=strategies.never(), wait_seconds=30)
    assert done.strategies[0].rebalances == 2


def test_a_reallocation(call: Call) -> None:
    quotes = [Quote("A", 10.0, average_daily_volume=1e6), Quote("B", 20.0, lot_size=5, spread_bps=4)]
    answer = call("reallocate", Holdings({"A": 100}, 10.0), quotes, {"B": 1.0}, commission_bps=5, cash_floor=5.0)
    assert answer.outcome == "plan"
    assert [(trade.symbol, trade.quantity) for trade in answer.trades] == [("A", -100.0), ("B", 50.0)]
    assert answer.shortfalls == {"B": ("lot_size",)}  # 50.4 were wanted
    assert call("get_reallocation", answer.name).trades == answer.trades
    still = call("reallocate", Holdings({"A": 1}), [Quote("A", 10.0)], {"A": 1.0}, drift_band=0.5, validate_only=True)
    assert (still.outcome, still.name) == ("unchanged", "")


def test_a_batch_that_shares_volume(call: Call) -> None:
    quotes = [Quote("A", 10.0, average_daily_volume=8.0)]
    accounts = [
        absfin.queries.PortfolioAccount("buys", Holdings({}, 100.0), priority=1),
        absfin.queries.PortfolioAccount("first", Holdings({}, 50.0)),
        absfin.queries.PortfolioAccount("sells", Holdings({"A": 3}), direction="sell_only", target={"A": 1e-9}),
        absfin.queries.PortfolioAccount("apart", Holdings({}, 10.0), priority=2, allow_crossing=False),
    ]
    limits = ReallocationLimits(max_participation=1.0)
    rules = {"liquidity_allocation": "priority", "allow_crossing": True}
    found = dict(call("reallocate_batch", quotes, accounts, {"A": 1.0}, limits=limits, **rules))
    trades = {key: [(t.quantity, t.crossed_quantity) for t in one.trades] for key, one in found.items()}
    # 3 are crossed, 2 and 1 of 10 and 5; of the volume of 8, "first" has the 4 that it still wants, "buys" the rest.
    assert trades == {"buys": [(6.0, 2.0)], "first": [(5.0, 1.0)], "sells": [(-3.0, -3.0)], "apart": []}
    assert found["apart"].shortfalls == {"A": ("liquidity",)}


def test_portfolios(call: Call, request: pytest.FixtureRequest) -> None:
    made = call("create_portfolio", Holdings({"A": 1.0}, 5.0).to_proto())
    assert made.name in [portfolio.name for portfolio in call("list_portfolios")]
    stale = call("get_portfolio", made.name)
    made.cash = 7.0
    assert call("update_portfolio", made, ["cash"]).cash == 7.0
    with pytest.raises(errors.EtagMismatch):
        call("update_portfolio", stale, ["cash"])
    answer = call("reallocate", made.name, [Quote("A", 7.0)], {"A": 1.0})
    assert answer.trades[0].quantity == 1.0
    call("delete_portfolio", made.name)
    with pytest.raises(errors.NotFound):
        call("get_portfolio", made.name)


def test_a_frontier(call: Call) -> None:
    data = Moments(SYMBOLS, RETURNS.mean(axis=0), np.cov(RETURNS.T), 252)
    corners = call("trace_frontier", data)
    assert corners[0].expected_return_annual > corners[-1].expected_return_annual
    assert corners[-1].weights == pytest.approx(call("optimize", data, absfin.min_risk()).weights, abs=1e-7)
    points = call(
        "trace_frontier", Prices(PANEL), 4, constraints=[absfin.weight_bounds(upper=0.5)], risk_measure="cvar"
    )
    assert len(points) == 4
    assert points[0].certificate.duality_gap <= 1e-7
    with pytest.raises(errors.InfeasibleProblem):
        call("trace_frontier", data, constraints=[absfin.weight_bounds(upper=0.2)])


THREE = absfin.Moments(
    ["A", "B", "C"], np.array([0.01, 0.02, 0.015]), np.diag([0.04, 0.09, 0.06]) + 0.01, periods_per_year=12
)
EVERY_OBJECTIVE = {
    "kelly": absfin.kelly("quadratic"),
    "tracking": absfin.tracking({"A": 0.5, "B": 0.5}),
    "relaxed": absfin.relaxed_risk_budget({"A": 1.0, "B": 2.0, "C": 1.0}, 0.1),
    "worst case": absfin.worst_case(absfin.max_ratio(0.01)),
    "tree": absfin.hierarchical("herc", "ward"),
}


@pytest.mark.parametrize("objective", EVERY_OBJECTIVE.values(), ids=EVERY_OBJECTIVE.keys())
def test_objectives_and_limits_of_every_kind(call: Call, objective: absfin.objectives.Objective) -> None:
    kind = objective.WhichOneof("kind")
    # A tree and budgets keep bounds only, and which assets are held needs an objective to compare them by.
    limits = {"hierarchical": (), "relaxed_risk_budget": (), "worst_case": EVERY_LIMIT[:2]}.get(kind, EVERY_LIMIT)
    found = call("optimize", THREE, objective, constraints=limits)
    assert sum(found.weights.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "objective",
    [
        absfin.higher_moments(3.0, 7.0, 14.0),
        absfin.higher_moments(1.0, ignore_mean=True),
        absfin.ordered_weighted_average([0.5, 0.5, *[0.0] * (len(RETURNS) - 2)]),
        absfin.ordered_weighted_average(np.linspace(0.02, 0.0, len(RETURNS)), absfin.max_utility(2.0)),
    ],
    ids=["moments", "risk", "least", "utility"],
)
def test_objectives_of_a_distribution(call: Call, objective: absfin.objectives.Objective) -> None:
    found = call("optimize", absfin.Returns(Panel.of(SYMBOLS, DAYS.to_numpy(), RETURNS), 252), objective)
    assert sum(found.weights.values()) == pytest.approx(1.0)
    assert found.certificate.duality_gap <= 1e-7


def test_budgets_of_factors_and_bounds_on_contributions(call: Call) -> None:
    loadings = {"market": {"A": 1.0, "B": 1.2, "C": 0.9}, "rates": {"A": 0.3, "C": 0.8}}
    found = call("optimize", THREE, absfin.factor_budget({"market": 3.0, "rates": 1.0}, loadings))
    w = np.array([found.weights[symbol] for symbol in "ABC"])
    exposures = np.array([[1.0, 0.3], [1.2, 0.0], [0.9, 0.8]])
    sigma = np.diag([0.04, 0.09, 0.06]) + 0.01
    shares = (exposures.T @ w) * (np.linalg.pinv(exposures) @ sigma @ w) / (w @ sigma @ w)
    assert shares == pytest.approx([0.75, 0.25], abs=1e-9)
    bounds = absfin.risk_contribution_bounds(upper=0.36)
    held = call("optimize", THREE, absfin.min_risk(), constraints=[bounds])
    assert max(held.risk_contributions.values()) == pytest.approx(0.36 * held.volatility_annual, rel=1e-6)


EVERY_LIMIT = (
    absfin.tracking_error({"A": 0.4, "B": 0.3, "C": 0.3}, 0.5),
    absfin.risk_limit("variance", 1.0),
    absfin.cardinality(3),
    absfin.minimum_position(0.05),
)


def test_a_batch_gives_each_account_its_answer_or_its_exception(call: Call) -> None:
    accounts = [
        absfin.Account("free"),
        absfin.Account("held", {"A": 1.0}, [absfin.turnover(0.1)]),
        absfin.Account("impossible", constraints=[absfin.weight_bounds(upper=0.1, label="caps")]),
        absfin.Account("even", objective=absfin.equal_weight()),
    ]
    found = dict(call("optimize_batch", THREE, absfin.min_risk(), accounts))
    assert found.keys() == {account.key for account in accounts}
    assert found["held"].weights["A"] == pytest.approx(0.9)
    assert list(found["even"].weights.values()) == pytest.approx([1 / 3] * 3)
    assert isinstance(found["impossible"], absfin.InfeasibleProblem)
    assert {conflict.label for conflict in found["impossible"].conflicts} == {"caps", "default:budget"}


def test_strategies_are_compared(call: Any) -> None:
    table = np.random.default_rng(4).normal(0.0, 0.01, (80, 3))
    table[:, 1] += 0.02
    panel = Panel.of(["A", "B", "C"], range(80), table)
    index = Panel.of(["I"], range(80), table[:, :1] * 0.5)
    found = call("compare_strategies", panel, index, resamples=200, seed=2, block_length=1.0, segments=4)
    assert found.superior == ("B",)
    assert found.best == "B"
    assert found.trial_count == 3
    assert found.spa is not None
    assert found.spa[0] <= found.spa[1] <= found.spa[2]
    assert found.sharpe["B"] == found.best_sharpe
    assert found.undefined == {}


def test_a_validation_has_its_figures_by_name(call: Any) -> None:
    table = np.random.default_rng(4).normal(0.001, 0.01, (120, 2))
    data = Returns(Panel.of(["A", "B"], range(120), table), 252)
    validation = absfin.statistical_validation(200, timing_luck_offsets=2)
    rules = absfin.strategies.every_periods(10)
    job = call(
        "backtest",
        data,
        absfin.strategies.equal_weight(),
        rebalancing=rules,
        benchmarks=["B"],
        statistical_validation=validation,
        wait_seconds=60.0,
    )
    found = job.validation
    assert set(found.sharpe_intervals) == {"lo_2002", "mertens_2002", "stationary_bootstrap"}
    assert set(found.timing_luck) == {0, 1, 2}
    assert found.sharpe_differences["B"].p_value == job.strategies[0].validation.sharpe_differences["B"].p_value
    assert len(found.sub_periods) == 4
    assert found.expected_max_drawdown > 0.0
    assert "deflated_sharpe" in found.undefined
    assert job.benchmarks[0].validation is None
