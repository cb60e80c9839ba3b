"""The report against its definitions, written out with numpy, scipy and pandas, and against published numbers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from domain.errors import InvalidInput
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel, ReturnPanel, Scenarios
from domain.risk.analyzer import analyze
from domain.risk.factors import regressed
from domain.risk.figure import CONSTANT, NEVER_FELL, ONE_RETURN, TOO_LARGE, Absent
from domain.risk.measures import RiskMeasure
from domain.risk.query import RiskQuery
from domain.risk.relative import compare
from domain.risk.report import RiskReport

GENERATOR = np.random.default_rng(11)
VALUES = GENERATOR.standard_t(5, (400, 4)) * 0.01 + 0.0005
PANEL = ReturnPanel.of("ABCD", range(400), VALUES)
WEIGHTS = np.array([0.4, 0.3, 0.2, -0.1])  # 0.2 is cash
MARKET = VALUES.mean(axis=1) + GENERATOR.normal(0, 0.003, 400)
RETURNS = VALUES @ WEIGHTS


def report_of(values: np.ndarray, weights: list[float], **options: float) -> RiskReport:
    panel = ReturnPanel.of("ABCDEFGH"[: values.shape[1]], range(len(values)), values)
    return analyze(RiskQuery(panel, np.array(weights), 252, **options))


@pytest.fixture(scope="module")
def report() -> RiskReport:
    comparison = compare(PANEL, ReturnPanel.of(("M",), range(400), MARKET))
    return analyze(RiskQuery(PANEL, WEIGHTS, 252, 0.99, 0.02, comparison))


def test_volatility_return_and_sharpe(report: RiskReport) -> None:
    series = pd.Series(RETURNS)
    assert report.dispersion.volatility_per_period == pytest.approx(series.std(), rel=1e-12)
    assert report.dispersion.volatility_annual == pytest.approx(series.std() * 252**0.5, rel=1e-12)
    assert report.expected_return_annual == pytest.approx(series.mean() * 252, rel=1e-12)
    assert report.ratios.sharpe == pytest.approx((series - 0.02 / 252).mean() / series.std() * 252**0.5, rel=1e-12)
    assert report.observations == 400


def test_value_at_risk_by_each_definition(report: RiskReport) -> None:
    mean, deviation = RETURNS.mean(), RETURNS.std(ddof=1)
    skewness, kurtosis = stats.skew(RETURNS), stats.kurtosis(RETURNS)
    z = stats.norm.ppf(0.01)
    quantile = z + (z**2 - 1) * skewness / 6 + (z**3 - 3 * z) * kurtosis / 24 - (2 * z**3 - 5 * z) * skewness**2 / 36
    assert report.value_at_risk.historical == pytest.approx(-pd.Series(RETURNS).quantile(0.01), rel=1e-12)
    assert report.value_at_risk.gaussian == pytest.approx(-stats.norm.ppf(0.01, mean, deviation), rel=1e-12)
    assert report.value_at_risk.cornish_fisher == pytest.approx(-(mean + quantile * deviation), rel=1e-10)
    dispersion = report.dispersion
    assert (dispersion.skewness, dispersion.excess_kurtosis) == pytest.approx((skewness, kurtosis), rel=1e-10)
    assert report.quantile_method == "linear"


def test_conditional_value_at_risk_is_the_mean_beyond_the_quantile(report: RiskReport) -> None:
    """400 returns at 99 %: the tail is exactly four of them. For a normal, the mean below its quantile."""
    assert report.conditional_value_at_risk.historical == pytest.approx(-np.sort(RETURNS)[:4].mean(), rel=1e-12)
    normal = stats.norm(RETURNS.mean(), RETURNS.std(ddof=1))
    beyond = normal.expect(ub=normal.ppf(0.01), conditional=True)
    assert report.conditional_value_at_risk.gaussian == pytest.approx(-beyond, rel=1e-8)


def test_relative_figures(report: RiskReport) -> None:
    active = RETURNS - MARKET
    relative = report.relative
    assert relative is not None
    line = stats.linregress(MARKET, RETURNS)
    assert relative.beta == pytest.approx(line.slope, rel=1e-10)
    assert relative.correlation == pytest.approx(line.rvalue, rel=1e-10)
    assert relative.tracking_error_annual == pytest.approx(active.std(ddof=1) * 252**0.5, rel=1e-12)
    assert relative.information_ratio == pytest.approx(active.mean() / active.std(ddof=1) * 252**0.5, rel=1e-10)
    assert {name for name, figure in report.figures.items() if isinstance(figure, Absent)} == {"active_share"}


def test_factors_carry_what_they_explain_of_the_volatility() -> None:
    """Per year: exposure to each factor by its covariance with the portfolio, and a rest that is of no factor."""
    factors = regressed(PANEL, ReturnPanel.of(("F", "G"), range(400), np.column_stack([MARKET, VALUES[:, 0] ** 2])))
    found = analyze(RiskQuery(PANEL, WEIGHTS, 252, factors=factors))
    slopes = np.linalg.lstsq(factors.factors - factors.factors.mean(axis=0), RETURNS - RETURNS.mean(), rcond=None)[0]
    carried = [slope * np.cov(factor, RETURNS)[0, 1] for slope, factor in zip(slopes, factors.factors.T, strict=True)]
    total = RETURNS.std(ddof=1)
    assert [one.name for one in found.factors] == ["F", "G", ""]
    assert [one.weight for one in found.factors[:2]] == pytest.approx(slopes)
    rest = total**2 - sum(carried)
    expected = [part / total * 252**0.5 for part in (*carried, rest)]
    assert [one.contribution for one in found.factors] == pytest.approx(expected)
    assert [one.fraction for one in found.factors] == pytest.approx([part / total**2 for part in (*carried, rest)])


def test_contributions_and_correlation(report: RiskReport) -> None:
    assert not isinstance(report.contributions, Absent)
    assert not isinstance(report.dispersion.volatility_annual, Absent)
    assert report.correlation == pytest.approx(np.corrcoef(VALUES.T), rel=1e-10)
    assert report.contributions.by_asset.sum() == pytest.approx(report.dispersion.volatility_annual, rel=1e-12)
    step = 1e-6
    for i, marginal in enumerate(report.contributions.marginal):
        more, less = WEIGHTS.copy(), WEIGHTS.copy()
        more[i] += step
        less[i] -= step
        slope = ((VALUES @ more).std(ddof=1) - (VALUES @ less).std(ddof=1)) / (2 * step) * 252**0.5
        assert marginal == pytest.approx(slope, rel=1e-6)


MOMENTS = Moments.of("ABCD", VALUES.mean(axis=0), np.cov(VALUES.T), 12)


def test_moments_alone_say_nothing_about_a_tail() -> None:
    report = analyze(RiskQuery(MOMENTS, WEIGHTS, 12))
    assert report.observations == 0
    assert report.dispersion.volatility_per_period == pytest.approx(RETURNS.std(ddof=1), rel=1e-12)
    assert report.value_at_risk.gaussian == pytest.approx(
        -stats.norm.ppf(0.05, RETURNS.mean(), RETURNS.std(ddof=1)), rel=1e-12
    )
    assert report.quantile_method is None
    assert not isinstance(report.contributions, Absent)
    assert report.contributions.total == pytest.approx(report.dispersion.volatility_annual, rel=1e-12)
    numbers = {name for name, figure in report.figures.items() if not isinstance(figure, Absent)}
    assert numbers == {
        "expected_return_annual",
        "volatility_per_period",
        "volatility_annual",
        "sharpe",
        "value_at_risk.gaussian",
        "conditional_value_at_risk.gaussian",
    }


def test_scenarios_count_by_their_probabilities() -> None:
    """An outcome with probability k/10 is k equally likely ones: population moments and tails agree."""
    outcomes = np.array([[-0.10, 0.02], [-0.03, -0.01], [0.01, 0.00], [0.05, 0.03]])
    chances = np.array([1, 2, 4, 3])
    weights = np.array([0.6, 0.4])
    report = analyze(RiskQuery(Scenarios.of("AB", outcomes, chances / 10), weights, 1, 0.85))
    repeated = np.repeat(outcomes, chances, axis=0) @ weights
    assert report.expected_return_annual == pytest.approx(repeated.mean())
    assert report.dispersion.volatility_per_period == pytest.approx(repeated.std())
    assert report.dispersion.skewness == pytest.approx(stats.skew(repeated))
    assert report.conditional_value_at_risk.historical == pytest.approx(
        -(repeated.min() + 0.5 * np.sort(repeated)[1]) / 1.5
    )
    # 85 % is first reached with the second-worst outcome, which has the next 20 %.
    assert report.value_at_risk.historical == pytest.approx(-np.sort(repeated)[1])
    assert report.quantile_method == "inverse_cdf"
    assert isinstance(report.drawdowns.max_drawdown, Absent)


def test_the_lower_quantile_is_not_pushed_over_by_rounding() -> None:
    """Nineteen outcomes of 5 % sum to a little more or less than 95 %; the quantile is the nineteenth either way."""
    chances = np.append(np.full(18, 0.05), [0.1])
    report = analyze(RiskQuery(Scenarios.of("A", np.arange(19.0)[::-1, None] / 100, chances), np.ones(1), 1, 0.9))
    assert report.value_at_risk.historical == pytest.approx(-0.01)


def test_equally_likely_scenarios_are_read_as_observations_are() -> None:
    scenarios = analyze(RiskQuery(Scenarios.of("ABCD", VALUES), WEIGHTS, 252))
    observed = analyze(RiskQuery(PANEL, WEIGHTS, 252))
    assert scenarios.value_at_risk.historical == pytest.approx(observed.value_at_risk.historical, rel=1e-12)
    assert scenarios.dispersion.volatility_per_period == pytest.approx(RETURNS.std(), rel=1e-12)


def test_one_return_has_a_quantile_and_no_spread() -> None:
    report = report_of(np.array([[0.01, -0.03]]), [0.5, 0.5])
    assert report.value_at_risk.historical == pytest.approx(0.01)
    assert report.drawdowns.max_drawdown == pytest.approx(0.01)
    spread = [report.dispersion.volatility_per_period, report.ratios.sharpe, report.value_at_risk.gaussian]
    absent = [*spread, report.contributions]
    assert absent == [Absent(ONE_RETURN)] * 4


@pytest.mark.parametrize("level", [0.0, 0.01, 0.1 + 0.2, 7.0, -0.003])
def test_constant_returns_have_no_shape(level: float) -> None:
    report = report_of(np.full((60, 2), level), [0.3, 0.7])
    assert report.dispersion.volatility_per_period == 0.0
    assert report.value_at_risk.gaussian == pytest.approx(-level)
    shape = (report.ratios.sharpe, report.dispersion.skewness, report.value_at_risk.cornish_fisher)
    assert shape == (Absent(CONSTANT),) * 3
    assert not isinstance(report.contributions, Absent)
    assert report.contributions.by_asset.tolist() == [0.0, 0.0]
    assert report.contributions.fractions is None
    assert not isinstance(report.correlation, Absent)
    assert np.isnan(report.correlation).all()


def test_a_perfect_hedge_has_no_risk_at_all() -> None:
    twins = np.repeat(VALUES[:, :1], 2, axis=1)
    report = report_of(twins, [0.7, -0.7])
    assert (report.dispersion.volatility_annual, report.ratios.sharpe) == (0.0, Absent(CONSTANT))
    assert not isinstance(report.contributions, Absent)
    assert report.contributions.total == 0.0


def test_small_returns_are_not_taken_for_constant() -> None:
    report = report_of(VALUES * 1e-6, WEIGHTS.tolist())
    assert report.dispersion.skewness == pytest.approx(stats.skew(RETURNS), rel=1e-6)
    assert report.dispersion.volatility_per_period == pytest.approx(RETURNS.std(ddof=1) * 1e-6, rel=1e-9)


def test_the_drawdown_has_dates() -> None:
    panel = ReturnPanel.of("A", [1, 2, 4, 5, 9], [0.1, -0.2, -0.1, 0.6, 0.0])
    report = analyze(RiskQuery(panel, np.ones(1), 252))
    dates = report.drawdowns.deepest
    assert dates is not None
    assert [day.isoformat() for day in (dates.peak, dates.trough, dates.recovery) if day] == [
        "1970-01-02",
        "1970-01-05",
        "1970-01-06",
    ]


@pytest.mark.parametrize(("start", "peak"), [(None, None), (0, "1970-01-01")])
def test_a_fall_from_the_start_has_the_date_of_the_start_if_that_is_known(start: int | None, peak: str | None) -> None:
    query = RiskQuery(ReturnPanel.of("A", [1, 2], [-0.1, 0.05]), np.ones(1), 252, start=start)
    dates = analyze(query).drawdowns.deepest
    assert dates is not None
    assert (dates.peak and dates.peak.isoformat(), dates.recovery) == (peak, None)


def test_what_never_fell_says_so() -> None:
    report = report_of(np.array([[0.01], [0.0], [0.02]]), [1.0])
    assert (report.drawdowns.max_drawdown, report.drawdowns.deepest, report.calmar) == (0.0, None, Absent(NEVER_FELL))


@given(
    st.lists(st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=2), min_size=1, max_size=30),
    st.lists(st.floats(-2, 2), min_size=2, max_size=2),
    st.floats(0.5, 0.999),
)
def test_every_figure_is_a_number_or_has_a_reason(
    values: list[list[float]], weights: list[float], confidence: float
) -> None:
    report = report_of(np.array(values), weights, confidence_level=confidence)
    for name, figure in report.figures.items():
        assert figure.reason if isinstance(figure, Absent) else np.isfinite(figure), name


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("weights", {"weights": np.ones(3)}),
        ("weights[1]", {"weights": np.array([0.1, np.nan, 0, 0])}),
        ("confidence_level", {"confidence_level": 1.0}),
        ("periods_per_year", {"periods_per_year": 0.0}),
        ("risk_free_rate_annual", {"risk_free_rate_annual": np.inf}),
    ],
)
def test_a_query_is_checked(field: str, options: dict[str, object]) -> None:
    good: dict[str, object] = {"data": PANEL, "weights": WEIGHTS, "periods_per_year": 252}
    with pytest.raises(InvalidInput) as error:
        RiskQuery(**(good | options))
    assert error.value.field == field


def test_prices_of_constant_growth_have_no_volatility() -> None:
    prices = PricePanel.of("A", range(500), 100 * 1.01 ** np.arange(500.0))
    report = analyze(RiskQuery(prices.returns(), np.ones(1), 252))
    assert report.dispersion.volatility_per_period == 0.0


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_measure_too_large_for_a_number_says_so() -> None:
    panel = ReturnPanel.of("ABCD", range(400), np.abs(VALUES) * 1e52)
    report = analyze(RiskQuery(panel, WEIGHTS * 1e35, 252, measures=(RiskMeasure.KURTOSIS,)))
    assert report.measures[0].value == Absent(TOO_LARGE)
