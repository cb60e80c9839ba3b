"""Risk reports as messages: every figure under its path, or the reason there is none, and the parts around them."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from absfinance.v1 import risk_measure_pb2 as wire
from absfinance.v1.risk_service_pb2 import AnalyzeRiskResponse
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.market_data.missing import MissingData, MissingDataPolicy
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel
from domain.risk.correlation import Clustering
from domain.risk.figure import FLAT_ASSET, NEVER_FELL, NO_BENCHMARK, NO_DISTRIBUTION, NO_TIME, ONE_RETURN, Absent
from domain.risk.flow import RiskAssessment, assess
from domain.risk.measures import RiskMeasure
from domain.risk.report import DatedDrawdown, MeasureReport
from domain.risk.rolling import Rolling, RollingFigure
from domain.risk.specification import RiskSpecification
from domain.risk.stress import AssetShocks, Scenario
from domain.risk.validation.request import ValidationRequest
from server.converters.risk_report import (
    MOST_BYTES,
    MOST_CORRELATED,
    TOO_LONG,
    TOO_MANY,
    assessment_to_proto,
    missing_data_to_proto,
)

FIRST_DAY = 1000
GROWTH = np.random.default_rng(3).normal(0.0005, 0.01, (60, 3))
PRICES = PricePanel.of(("A", "B", "C"), range(FIRST_DAY, FIRST_DAY + 60), np.exp(GROWTH.cumsum(axis=0)))
MOMENTS = Moments.of(("A", "B"), [0.01, 0.02], [[0.04, 0.01], [0.01, 0.09]], 12)
HELD = {"A": 0.5, "B": 0.3, "C": 0.2}


def assessed(data: PricePanel | Moments = PRICES, benchmark: PricePanel | None = None, **fields: Any) -> RiskAssessment:
    fields = {"holdings": HELD if isinstance(data, PricePanel) else {"A": 0.5, "B": 0.5}} | fields
    return assess(RiskSpecification(**fields), data, benchmark)


def message(assessment: RiskAssessment, *, drawdown_series: bool = False) -> AnalyzeRiskResponse:
    return assessment_to_proto(assessment, drawdown_series=drawdown_series)


def of_many(assessment: RiskAssessment, count: int) -> RiskAssessment:
    """With the correlation of so many assets, and nothing else of them."""
    nothing = Absent("not of this test")
    report = replace(
        assessment.report,
        symbols=tuple(f"S{i}" for i in range(count)),
        correlation=np.eye(count),
        contributions=nothing,
        skewness_fractions=nothing,
        kurtosis_fractions=nothing,
    )
    return replace(assessment, report=report)


def figure_of(response: AnalyzeRiskResponse, path: str) -> float | None:
    part: Any = response
    *parents, name = path.split(".")
    for parent in parents:
        part = getattr(part, parent)
    return getattr(part, name) if part.HasField(name) else None


@pytest.mark.parametrize("data", [PRICES, MOMENTS])
def test_each_figure_has_its_path_or_its_reason(data: PricePanel | Moments) -> None:
    report = assessed(data).report
    response = message(assessed(data))
    absent = {path: figure.reason for path, figure in report.figures.items() if isinstance(figure, Absent)}
    assert absent
    assert {path: response.undefined[path] for path in absent} == absent
    for path, figure in report.figures.items():
        assert figure_of(response, path) == (None if path in absent else figure)


def test_what_the_figures_are_of() -> None:
    response = message(assessed(confidence_level=0.9, periods_per_year=252))
    assert (response.periods_per_year, response.observations, response.confidence_level) == (252.0, 59, 0.9)
    assert (response.benchmark_observations, response.HasField("benchmark_periods_per_year")) == (0, False)
    assert not response.HasField("covariance_repair")
    assert response.undefined["beta_to_benchmark"] == NO_BENCHMARK
    beside = assessed(benchmark=PricePanel.of(("Z",), PRICES.dates[10:], PRICES.values[10:, :1]))
    assert message(beside).benchmark_observations == 49
    assert message(beside).benchmark_periods_per_year == beside.report.compared_periods_per_year
    assert message(beside).beta_to_benchmark == beside.report.relative.beta
    assert (response.quantile_method, message(assessed(MOMENTS)).quantile_method) == ("linear", "")


def test_a_covariance_that_was_repaired_says_so() -> None:
    repaired = Moments.of(("A", "B"), [0.0, 0.0], [[0.04, 0.07], [0.07, 0.09]], 12, repair_covariance=True)
    assert repaired.repair is not None
    found = message(assessed(repaired)).covariance_repair
    assert found.smallest_eigenvalue == repaired.repair.smallest_eigenvalue < 0.0
    assert found.largest_change == repaired.repair.largest_change > 0.0


def test_one_return_has_no_risk_model() -> None:
    two_days = PricePanel.of(PRICES.symbols, PRICES.dates[:2], PRICES.values[:2])
    response = message(assessed(two_days, periods_per_year=252))
    assert response.undefined["contributions"] == response.undefined["correlation"] == ONE_RETURN
    assert not response.contributions
    assert not response.HasField("correlation")


def test_contributions_of_assets_groups_and_factors() -> None:
    groups = {"first": ("A", "B")}
    found = assessed(groups=groups, factors=1, measures=(RiskMeasure.CONDITIONAL_VALUE_AT_RISK,))
    response, report = message(found), found.report
    assert not isinstance(report.contributions, Absent)
    assert [(one.symbol, one.weight) for one in response.contributions] == list(HELD.items())
    assert [one.marginal for one in response.contributions] == report.contributions.marginal.tolist()
    assert [one.contribution for one in response.contributions] == report.contributions.by_asset.tolist()
    assert sum(one.fraction for one in response.contributions) == pytest.approx(1.0)
    assert [(one.name, one.weight) for one in response.group_contributions] == [("first", 0.8), ("", 0.2)]
    for told, meant in (
        (response.group_contributions, report.groups),
        (response.factor_contributions, report.factors),
        (response.measures[0].groups, report.measures[0].groups),
        (response.measures[0].factors, report.measures[0].factors),
    ):
        assert [(one.name, one.weight, one.contribution, one.fraction) for one in told] == [
            (one.name, one.weight, one.contribution, one.fraction) for one in meant
        ]
    (measure,) = response.measures
    assert measure.value == report.measures[0].value
    assert [one.symbol for one in measure.contributions] == ["A", "B", "C"]
    assert sum(one.contribution for one in measure.contributions) == pytest.approx(measure.value)


def test_a_measure_without_a_value_says_why_and_stays_in_its_place() -> None:
    found = assessed(MOMENTS, measures=(RiskMeasure.CONDITIONAL_VALUE_AT_RISK, RiskMeasure.VARIANCE))
    response = message(found)
    assert [one.risk_measure for one in response.measures] == [wire.RISK_MEASURE_CVAR, wire.RISK_MEASURE_VARIANCE]
    assert [one.HasField("value") for one in response.measures] == [False, True]
    assert [len(one.contributions) for one in response.measures] == [0, 2]
    assert response.undefined["measures[CONDITIONAL_VALUE_AT_RISK]"] == NO_DISTRIBUTION


def test_fractions_of_skewness_and_kurtosis() -> None:
    found = assessed()
    response = message(found)
    for told, meant in (
        (response.skewness_fractions, found.report.skewness_fractions),
        (response.kurtosis_fractions, found.report.kurtosis_fractions),
    ):
        assert not isinstance(meant, Absent)
        assert [(one.symbol, one.fraction) for one in told] == list(zip(HELD, meant.tolist(), strict=True))
    of_moments = message(assessed(MOMENTS))
    assert len(of_moments.skewness_fractions) == len(of_moments.kurtosis_fractions) == 0
    assert of_moments.undefined["skewness_fractions"] == of_moments.undefined["kurtosis_fractions"] == NO_DISTRIBUTION


def test_drawdowns_have_their_dates_or_are_open() -> None:
    found = assessed()
    closed = DatedDrawdown(0.2, None, date(2020, 1, 2), date(2020, 1, 5), 4, 1, 3)
    still_open = DatedDrawdown(0.3, date(2020, 2, 1), date(2020, 2, 3), None, 6, 2, None)
    drawdowns = replace(found.report.drawdowns, deepest=still_open, worst=(still_open, closed))
    response = message(replace(found, report=replace(found.report, drawdowns=drawdowns)))
    told = {
        "depth": 0.3,
        "peakDate": {"year": 2020, "month": 2, "day": 1},
        "troughDate": {"year": 2020, "month": 2, "day": 3},
        "periods": 6,
        "periodsToTrough": 2,
        "open": True,
    }
    assert json_format.MessageToDict(response.max_drawdown_period) == told
    assert [json_format.MessageToDict(one) for one in response.worst_drawdowns] == [
        told,
        {
            "depth": 0.2,
            "troughDate": {"year": 2020, "month": 1, "day": 2},
            "recoveryDate": {"year": 2020, "month": 1, "day": 5},
            "periods": 4,
            "periodsToTrough": 1,
            "periodsToRecovery": 3,
        },
    ]


def test_what_never_fell_has_no_deepest_drawdown() -> None:
    rising = PricePanel.of(("A", "B", "C"), range(5), np.linspace(1.0, 2.0, 15).reshape(5, 3))
    response = message(assessed(rising))
    assert (response.max_drawdown, response.undefined["max_drawdown_period"]) == (0.0, NEVER_FELL)
    # Where no drawdown is known, only that is said.
    assert "max_drawdown_period" not in message(assessed(MOMENTS)).undefined


def test_the_series_of_drawdowns_comes_where_it_was_asked_for() -> None:
    found = assessed()
    series = message(found, drawdown_series=True).drawdown_series
    assert list(series.dates) == list(range(FIRST_DAY + 1, FIRST_DAY + 60))
    assert list(series.depths) == found.report.drawdowns.depths.tolist()
    assert not message(found).HasField("drawdown_series")
    assert message(assessed(MOMENTS), drawdown_series=True).undefined["drawdown_series"] == NO_TIME
    assert "drawdown_series" not in message(assessed(MOMENTS)).undefined


def test_correlations_are_of_what_varies() -> None:
    flat = np.column_stack([PRICES.values[:, 0], np.ones(60), PRICES.values[:, 2]])
    found = assessed(PricePanel.of(PRICES.symbols, PRICES.dates, flat))
    response = message(found)
    assert list(response.correlation.symbols) == ["A", "C"]
    returns = np.diff(PRICES.values, axis=0) / PRICES.values[:-1]
    between = float(np.corrcoef(returns[:, 0], returns[:, 2])[0, 1])
    assert list(response.correlation.values) == pytest.approx([1.0, between, between, 1.0])
    assert response.undefined["correlation[B]"] == FLAT_ASSET


def test_clusters_order_the_correlation() -> None:
    found = assessed(clustering=Clustering(clusters=2))
    clusters, told = found.clusters, message(found).correlation.clusters
    assert clusters is not None
    assert list(told.order) == clusters.order.tolist()
    assert list(told.cluster_by_symbol) == clusters.cluster_by_asset.tolist()
    assert [[one.left, one.right, one.distance, one.size] for one in told.merges] == clusters.tree.merges.tolist()
    assert not message(assessed()).correlation.HasField("clusters")


@pytest.mark.parametrize(("count", "is_left_out"), [(MOST_CORRELATED, False), (MOST_CORRELATED + 1, True)])
def test_the_correlation_of_many_assets_is_left_out_with_its_clusters(count: int, is_left_out: bool) -> None:
    response = message(of_many(assessed(clustering=Clustering(clusters=2)), count))
    assert response.HasField("correlation") is not is_left_out
    assert response.undefined.get("correlation") == (TOO_MANY if is_left_out else None)
    assert is_left_out or response.correlation.HasField("clusters")


def test_an_answer_longer_than_a_message_loses_the_correlation_first() -> None:
    found = of_many(assessed(), 100)

    def padded(count: int) -> AnalyzeRiskResponse:
        measure = MeasureReport(RiskMeasure.VARIANCE, Absent("x" * count))
        return message(replace(found, report=replace(found.report, measures=(measure,))))

    assert MOST_BYTES < 4 * 2**20
    near = MOST_BYTES - 200_000
    fits = near + MOST_BYTES - padded(near).ByteSize()
    assert padded(fits).ByteSize() == MOST_BYTES
    assert padded(fits).HasField("correlation")
    too_long = padded(fits + 1)
    assert (too_long.HasField("correlation"), too_long.undefined["correlation"]) == (False, TOO_LONG)
    with pytest.raises(InvalidInput, match=r"makes an answer of 4\.0 MiB") as raised:
        padded(MOST_BYTES)
    assert raised.value.field == "measures"


def test_factors_have_their_exposures_and_what_they_explain() -> None:
    flat = np.column_stack([PRICES.values[:, :2], np.ones(60)])
    found = assessed(PricePanel.of(PRICES.symbols, PRICES.dates, flat), factors=1)
    factors, response = found.factors, message(found)
    assert factors is not None
    assert list(response.factors) == list(factors.names)
    for i, told in enumerate(response.factor_exposures):
        assert (told.symbol, told.alpha) == (PRICES.symbols[i], factors.alphas[i])
        assert list(told.exposures) == factors.exposures[i].tolist()
        assert told.specific_variance == factors.specific_variances[i]
    assert [told.HasField("r_squared") for told in response.factor_exposures] == [True, True, False]
    assert response.factor_exposures[0].r_squared == factors.r_squared[0]


def test_rolling_figures_have_the_last_date_of_their_window() -> None:
    found = assessed(rolling=Rolling(20, (RollingFigure.SHARPE, RollingFigure.VOLATILITY_ANNUAL)))
    told = json_format.MessageToDict(message(found))["rolling"]
    assert [series["figure"] for series in told] == ["ROLLING_FIGURE_SHARPE", "ROLLING_FIGURE_VOLATILITY_ANNUAL"]
    for series, meant in zip(told, found.rolling, strict=True):
        assert series["dates"] == list(range(FIRST_DAY + 20, FIRST_DAY + 60))
        assert series["values"] == meant.values.tolist()


def test_stress_and_validation_and_gaps() -> None:
    stress = (Scenario("crash", AssetShocks({"A": -0.2})),)
    found = assessed(stress=stress, validation=ValidationRequest(window=20, simulations=50))
    response = message(found)
    assert [(one.label, one.assets[0].symbol) for one in response.stress] == [("crash", "A")]
    assert response.stress[0].portfolio_return == pytest.approx(-0.1)
    assert response.validation.observations == 39
    assert json_format.MessageToDict(response.missing_data) == {"policy": "MISSING_DATA_POLICY_FAIL"}
    assert not message(assessed()).HasField("validation")
    assert not message(assessed(MOMENTS)).HasField("missing_data")


def test_each_count_of_what_was_missing() -> None:
    missing = MissingData(MissingDataPolicy.DROP_DATES, 1, 2, 3, 4, 5, 6)
    assert json_format.MessageToDict(missing_data_to_proto(missing)) == {
        "policy": "MISSING_DATA_POLICY_DROP_DATES",
        "missingValues": 1,
        "droppedDates": 2,
        "notListed": 3,
        "halted": 4,
        "delisted": 5,
        "rounds": 6,
    }


def test_what_is_proposed_has_its_figures_and_the_way_there() -> None:
    found = assessed(proposed_weights={"A": 0.2, "B": 0.3, "C": 0.5})
    told, proposed = message(found).proposed, found.proposed
    assert proposed is not None
    assert (told.expected_return_annual, told.volatility_annual, told.sharpe) == (
        proposed.expected_return_annual,
        proposed.dispersion.volatility_annual,
        proposed.ratios.sharpe,
    )
    assert told.value_at_risk == proposed.value_at_risk.historical
    assert told.conditional_value_at_risk == proposed.conditional_value_at_risk.historical
    assert told.max_drawdown == proposed.drawdowns.max_drawdown
    assert told.turnover_one_way == pytest.approx(0.3)
    of_moments = message(assessed(MOMENTS, proposed_weights={"A": 1.0})).proposed
    assert not of_moments.HasField("value_at_risk")
    assert of_moments.HasField("volatility_annual")
