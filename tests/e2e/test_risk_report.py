"""Everything that can be asked of AnalyzeRisk beside its figures, over the wire, each by its definition."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from absfinance.v1.risk_measure_pb2 import RiskMeasure
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from tests.conftest import Wire

ANALYZE = "RiskService/AnalyzeRisk"
RNG = np.random.default_rng(17)
T, P = 600, 252.0
FIRST = (date(2006, 1, 2) - date(1970, 1, 1)).days
DATES = [FIRST + i for i in range(T)]
MARKET = 0.012 * RNG.standard_t(4, T) + 0.0003
BETAS = np.array([1.2, 0.8, 0.5, 1.0])
RETURNS = np.clip(np.outer(MARKET, BETAS) + 0.006 * RNG.standard_normal((T, 4)), -0.5, None)
WEIGHTS = np.array([0.4, 0.3, 0.2, 0.1])
R = RETURNS @ WEIGHTS
SYMBOLS = ["A", "B", "C", "D"]


UNUSED = {"RISK_MEASURE_UNSPECIFIED", "RISK_MEASURE_VALUE_AT_RISK", "RISK_MEASURE_CONDITIONAL_VALUE_AT_RISK"}


def panel(values: np.ndarray, symbols: list[str] | None = None, dates: list[int] | None = None) -> dict[str, Any]:
    flat = ["NaN" if v != v else v for v in np.asarray(values, float).ravel().tolist()]
    return {"symbols": symbols or SYMBOLS, "dates": dates or DATES[: len(values)], "values": flat}


def weights(values: np.ndarray = WEIGHTS) -> list[dict[str, Any]]:
    return [{"symbol": s, "weight": float(w)} for s, w in zip(SYMBOLS, values, strict=True)]


def ask(**more: Any) -> dict[str, Any]:
    return {"returns": panel(RETURNS), "weights": weights(), "periodsPerYear": P, **more}


@pytest.fixture(scope="module")
def report(wire: Wire) -> dict[str, Any]:
    benchmark_weights = [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5}]
    return wire.call(
        ANALYZE,
        ask(
            benchmark=panel(MARKET, ["M"]),
            benchmarkWeights=benchmark_weights,
            riskFreeRateAnnual=0.02,
            minimumAcceptableReturnAnnual=0.05,
            worstDrawdowns=3,
            drawdownSeries=True,
        ),
    )


def test_dispersion(report: dict[str, Any]) -> None:
    below, target = np.minimum(R - R.mean(), 0.0), 0.05 / P
    short = np.maximum(target - R, 0.0)
    assert report["semiDeviation"] == pytest.approx(((below**2).sum() / (T - 1)) ** 0.5, rel=1e-12)
    assert report["meanAbsoluteDeviation"] == pytest.approx(np.abs(R - R.mean()).mean(), rel=1e-12)
    pairs = np.abs(R[:, None] - R[None, :]).sum() / (T * (T - 1))
    assert report["giniMeanDifference"] == pytest.approx(pairs, rel=1e-12)
    assert report["firstLowerPartialMoment"] == pytest.approx(short.mean(), rel=1e-12)
    assert report["secondLowerPartialMoment"] == pytest.approx((short**2).mean() ** 0.5, rel=1e-12)


def test_entropic_value_at_risk(report: dict[str, Any]) -> None:
    """The infimum of Ahmadi-Javid 2012 on a fine grid of z."""
    z = np.geomspace(1e-4, 1.0, 20_001)
    shifted = -R[None, :] / z[:, None]
    top = shifted.max(axis=1, keepdims=True)
    values = z * (top[:, 0] + np.log(np.exp(shifted - top).mean(axis=1) / 0.05))
    assert report["entropicValueAtRisk"] == pytest.approx(values.min(), rel=1e-6)
    assert report["entropicValueAtRisk"] <= values.min() + 1e-12


def test_ratios(report: dict[str, Any]) -> None:
    target = 0.05 / P
    assert report["sortino"] == pytest.approx(
        (R.mean() - target) / np.mean(np.minimum(R - target, 0.0) ** 2) ** 0.5 * P**0.5, rel=1e-10
    )
    assert report["omega"] == pytest.approx(
        np.maximum(R - target, 0.0).mean() / np.maximum(target - R, 0.0).mean(), rel=1e-10
    )
    assert report["gainToPain"] == pytest.approx(R.sum() / -R[R < 0].sum(), rel=1e-10)
    years = T / 365.25  # from one usual step, a day, before the first return
    growth = np.prod(1.0 + R) ** (1.0 / years) - 1.0
    assert report["cagr"] == pytest.approx(growth, rel=1e-10)
    assert report["calmar"] == pytest.approx(growth / report["maxDrawdown"], rel=1e-10)
    assert report["sterling"] == pytest.approx(growth / (report["maxDrawdown"] + 0.1), rel=1e-10)


def test_lo_adjusts_sharpe_for_autocorrelation(report: dict[str, Any]) -> None:
    """Lo 2002, equation 20, with every one of the 251 lags."""
    away = R - R.mean()
    rho = np.array([(away[k:] * away[:-k]).sum() / (away**2).sum() for k in range(1, 252)])
    eta = 252 / np.sqrt(252 + 2 * ((252 - np.arange(1, 252)) * rho).sum())
    per_period = (R.mean() - 0.02 / P) / R.std(ddof=1)
    assert report["sharpeAutocorrelationAdjusted"] == pytest.approx(eta * per_period, rel=1e-9)


def test_drawdowns_of_all_dates(report: dict[str, Any]) -> None:
    wealth = np.cumprod(np.append(1.0, 1.0 + R))
    depths = (1.0 - wealth / np.maximum.accumulate(wealth))[1:]
    assert report["drawdownSeries"]["dates"] == DATES
    assert report["drawdownSeries"]["depths"] == pytest.approx(depths, abs=1e-12)
    assert report["ulcerIndex"] == pytest.approx((depths**2).mean() ** 0.5, rel=1e-9)
    assert report["painIndex"] == pytest.approx(depths.mean(), rel=1e-9)
    assert report["conditionalDrawdownAtRisk"] == pytest.approx(np.sort(depths)[-30:].mean(), rel=1e-9)


def test_the_worst_drawdowns(report: dict[str, Any]) -> None:
    """By going through the dates."""
    wealth, peak, peak_place, falls = 1.0, 1.0, -1, []
    current: dict[str, Any] | None = None
    for place, change in enumerate(R):
        wealth *= 1.0 + change
        if wealth >= peak:
            if current is not None:
                falls.append({**current, "periods": place - current["peak"]})
                current = None
            peak, peak_place = wealth, place
        else:
            current = current or {"peak": peak_place, "depth": 0.0}
            current["depth"] = max(current["depth"], 1.0 - wealth / peak)
    if current is not None:
        falls.append({**current, "periods": T - 1 - current["peak"], "open": True})
    assert report["averageDrawdown"] == pytest.approx(np.mean([fall["depth"] for fall in falls]), rel=1e-9)
    expected = sorted(falls, key=lambda fall: -fall["depth"])[:3]
    assert len(report["worstDrawdowns"]) == 3
    for given, fall in zip(report["worstDrawdowns"], expected, strict=True):
        assert given["depth"] == pytest.approx(fall["depth"], rel=1e-9)
        assert given["periods"] == fall["periods"]
        assert given.get("open", False) == fall.get("open", False)
        assert ("recoveryDate" in given) != fall.get("open", False)


def test_beside_the_benchmark(report: dict[str, Any]) -> None:
    beta = np.cov(R, MARKET)[0, 1] / MARKET.var(ddof=1)
    free = 0.02 / P
    assert report["alphaAnnual"] == pytest.approx((R.mean() - free - beta * (MARKET.mean() - free)) * P, rel=1e-9)
    assert report["rSquared"] == pytest.approx(np.corrcoef(R, MARKET)[0, 1] ** 2, rel=1e-10)
    assert report["treynor"] == pytest.approx((R.mean() * P - 0.02) / beta, rel=1e-9)
    for name, inside in (("betaUp", free < MARKET), ("betaDown", free > MARKET)):
        assert report[name] == pytest.approx(np.polyfit(MARKET[inside], R[inside], 1)[0], rel=1e-9)
    for name, inside in (("captureUp", MARKET > 0), ("captureDown", MARKET < 0)):
        assert report[name] == pytest.approx(R[inside].mean() / MARKET[inside].mean(), rel=1e-9)
    assert report["activeShare"] == pytest.approx(0.5 * np.abs(WEIGHTS - [0.5, 0.5, 0, 0]).sum())


def test_shares_of_skewness_and_kurtosis(report: dict[str, Any]) -> None:
    away = R - R.mean()
    for name, order in (("skewnessFractions", 3), ("kurtosisFractions", 4)):
        each = [np.mean((RETURNS[:, i] - RETURNS[:, i].mean()) * away ** (order - 1)) for i in range(4)]
        expected = WEIGHTS * each / np.mean(away**order)
        given = [entry["fraction"] for entry in report[name]]
        assert given == pytest.approx(expected, rel=1e-8)
        assert sum(given) == pytest.approx(1.0, abs=1e-10)


MEASURES = ["CVAR", "EVAR", "MAD", "ULCER_INDEX", "MAX_DRAWDOWN", "VARIANCE", "GINI_MEAN_DIFFERENCE", "VAR", "RLVAR"]


def test_contributions_to_any_measure_by_asset_group_and_factor(wire: Wire) -> None:
    groups = [{"name": "cyclical", "symbols": ["A", "D"]}, {"name": "calm", "symbols": ["C"]}]
    factors = {"series": panel(np.column_stack([MARKET, RETURNS[:, 1]]), ["market", "other"])}
    measures = [f"RISK_MEASURE_{name}" for name in MEASURES]
    answer = wire.call(ANALYZE, ask(measures=measures, groups=groups, factors=factors))
    assert [one["riskMeasure"].removeprefix("RISK_MEASURE_") for one in answer["measures"]] == MEASURES
    whole = {**answer, "value": answer["volatilityAnnual"], "contributions": answer["contributions"]}
    whole |= {"groups": answer["groupContributions"], "factors": answer["factorContributions"]}
    for one in (*answer["measures"], whole):
        assert sum(entry["contribution"] for entry in one["contributions"]) == pytest.approx(one["value"], rel=1e-10)
        by_symbol = {entry["symbol"]: entry["contribution"] for entry in one["contributions"]}
        by_group = {entry.get("name", ""): entry["contribution"] for entry in one["groups"]}
        assert by_group == {
            "cyclical": pytest.approx(by_symbol["A"] + by_symbol["D"]),
            "calm": pytest.approx(by_symbol["C"]),
            "": pytest.approx(by_symbol["B"]),
        }
        assert sum(entry["contribution"] for entry in one["factors"]) == pytest.approx(one["value"], rel=1e-10)
        assert [entry.get("name", "") for entry in one["factors"]] == ["market", "other", ""]
    cvar = answer["measures"][0]
    assert cvar["value"] == pytest.approx(answer["conditionalValueAtRisk"]["historical"], rel=1e-12)


def test_what_factors_explain(wire: Wire) -> None:
    answer = wire.call(ANALYZE, ask(factors={"series": panel(MARKET, ["market"])}))
    assert answer["factors"] == ["market"]
    for i, asset in enumerate(answer["factorExposures"]):
        slope, alpha = np.polyfit(MARKET, RETURNS[:, i], 1)
        left = RETURNS[:, i] - alpha - slope * MARKET
        assert asset["exposures"] == pytest.approx([slope], rel=1e-9)
        assert asset["alpha"] == pytest.approx(alpha, rel=1e-6)
        assert asset["rSquared"] == pytest.approx(1 - left.var() / RETURNS[:, i].var(), rel=1e-9)
        assert asset["specificVariance"] == pytest.approx(left.var(ddof=1), rel=1e-9)
    exposure = float(WEIGHTS @ [asset["exposures"][0] for asset in answer["factorExposures"]])
    market = answer["factorContributions"][0]
    assert market["weight"] == pytest.approx(exposure, rel=1e-9)
    assert market["contribution"] == pytest.approx(exposure**2 * MARKET.var(ddof=1) / R.std(ddof=1) * P**0.5, rel=1e-9)


def test_principal_components(wire: Wire) -> None:
    answer = wire.call(ANALYZE, ask(factors={"principalComponents": 2}))
    vectors = np.linalg.eigh(np.cov(RETURNS.T))[1][:, ::-1][:, :2]
    given = np.array([asset["exposures"] for asset in answer["factorExposures"]])
    assert np.abs(given) == pytest.approx(np.abs(vectors), rel=1e-6)
    assert answer["factors"] == ["PC1", "PC2"]


def test_clusters_order_the_correlation(wire: Wire) -> None:
    answer = wire.call(ANALYZE, ask(clusters={"linkage": "LINKAGE_WARD", "clusters": 2}))
    clusters = answer["correlation"]["clusters"]
    distance = np.sqrt((1 - np.corrcoef(RETURNS.T)) / 2)
    tree = hierarchy.linkage(squareform(distance, checks=False), "ward", optimal_ordering=True)
    assert clusters["order"] == hierarchy.leaves_list(tree).tolist()
    assert [merge["distance"] for merge in clusters["merges"]] == pytest.approx(tree[:, 2], rel=1e-9)
    theirs = hierarchy.fcluster(tree, 2, "maxclust")
    ours = np.array(clusters["clusterBySymbol"])
    assert ((ours[:, None] == ours) == (theirs[:, None] == theirs)).all()
    assert ours[clusters["order"][0]] == 0


def test_clusters_of_the_bubble_tree(wire: Wire) -> None:
    clusters = wire.call(ANALYZE, ask(clusters={"linkage": "LINKAGE_DBHT", "clusters": 2}))["correlation"]["clusters"]
    assert sorted(clusters["order"]) == list(range(RETURNS.shape[1]))
    assert set(clusters["clusterBySymbol"]) == {0, 1}
    heights = [merge["distance"] for merge in clusters["merges"]]
    assert heights == pytest.approx([1.0 / left for left in range(len(heights), 0, -1)])  # so few are one bubble


def test_rolling_windows(wire: Wire) -> None:
    window = 63
    answer = wire.call(ANALYZE, ask(benchmark=panel(MARKET, ["M"]), rolling={"window": window}))
    series = {one["figure"].removeprefix("ROLLING_FIGURE_"): one for one in answer["rolling"]}
    assert len(series) == 17
    last, market = R[-window:], MARKET[-window:]
    wealth = np.cumprod(np.append(1.0, 1.0 + last))
    expected = {
        "MEAN_ANNUAL": last.mean() * P,
        "VOLATILITY_ANNUAL": last.std(ddof=1) * P**0.5,
        "SHARPE": last.mean() / last.std(ddof=1) * P**0.5,
        "SORTINO": last.mean() / np.mean(np.minimum(last, 0) ** 2) ** 0.5 * P**0.5,
        "SKEWNESS": ((last - last.mean()) ** 3).mean() / last.std() ** 3,
        "VALUE_AT_RISK": -np.quantile(last, 0.05),
        "CONDITIONAL_VALUE_AT_RISK": -(np.sort(last)[:3].sum() + 0.15 * np.sort(last)[3]) / 3.15,
        "MAX_DRAWDOWN": (1 - wealth / np.maximum.accumulate(wealth)).max(),
        "BETA": np.cov(last, market)[0, 1] / market.var(ddof=1),
        "CORRELATION": np.corrcoef(last, market)[0, 1],
        "TRACKING_ERROR_ANNUAL": (last - market).std(ddof=1) * P**0.5,
        "INFORMATION_RATIO": (last - market).mean() / (last - market).std(ddof=1) * P**0.5,
        "SEMI_DEVIATION": (np.minimum(last - last.mean(), 0) ** 2).sum() ** 0.5 / (window - 1) ** 0.5,
        "EXCESS_KURTOSIS": ((last - last.mean()) ** 4).mean() / last.var() ** 2 - 3,
        "OMEGA": np.maximum(last, 0).mean() / np.maximum(-last, 0).mean(),
        "ULCER_INDEX": ((1 - wealth / np.maximum.accumulate(wealth))[1:] ** 2).mean() ** 0.5,
        "ALPHA_ANNUAL": (last.mean() - np.cov(last, market)[0, 1] / market.var(ddof=1) * market.mean()) * P,
    }
    for name, value in expected.items():
        assert series[name]["values"][-1] == pytest.approx(value, rel=1e-9), name
        assert (len(series[name]["values"]), series[name]["dates"][0]) == (T - window + 1, DATES[window - 1])


def test_history_again(wire: Wire) -> None:
    """September 10th to 21st of 2001 cannot be in data that starts in 2006; the credit crisis is."""
    windows = [
        {"label": "mine", "historical": {"startDate": _day(2006, 3, 1), "endDate": _day(2006, 3, 20)}},
        {"historical": {"name": "september_11_2001"}},
        {"worstWindows": {"periods": 10, "count": 2}},
    ]
    answer = wire.call(ANALYZE, ask(stress=windows, proposedWeights=weights(np.array([0.0, 0.0, 1.0, 0.0]))))
    mine, missed, worst, second = answer["stress"]
    first = (date(2006, 3, 1) - date(1970, 1, 1)).days - FIRST + 1
    held = np.prod(1.0 + RETURNS[first : first + 19], axis=0) - 1.0
    assert mine["portfolioReturn"] == pytest.approx(WEIGHTS @ held, rel=1e-10)
    assert mine["proposedReturn"] == pytest.approx(held[2], rel=1e-10)
    assert sum(asset["contribution"] for asset in mine["assets"]) == pytest.approx(mine["portfolioReturn"])
    assert (mine["startDate"], mine["endDate"]) == (_day(2006, 3, 1), _day(2006, 3, 20))
    assert "does not cover" in missed["undefined"]
    every = [WEIGHTS @ (np.prod(1.0 + RETURNS[i : i + 10], axis=0) - 1.0) for i in range(T - 9)]
    assert worst["portfolioReturn"] == pytest.approx(min(every), rel=1e-9)
    apart = abs(_days(worst["endDate"]) - _days(second["endDate"]))
    assert second["portfolioReturn"] >= worst["portfolioReturn"]
    assert apart >= 10


def test_every_known_window_that_the_data_covers(wire: Wire) -> None:
    dates = [(date(2007, 1, 2) - date(1970, 1, 1)).days + 2 * i for i in range(T)]
    answer = wire.call(ANALYZE, ask(returns=panel(RETURNS, dates=dates), stress=[{"historical": {"name": "*"}}]))
    names = [result["label"] for result in answer["stress"]]
    assert names == ["financial_crisis_2007", "lehman_2008"]


def test_shocks(wire: Wire) -> None:
    shocks = [{"name": "A", "shock": -0.2}, {"name": "rest", "shock": -0.1}]
    groups = [{"name": "rest", "symbols": ["A", "B"]}]
    scenarios = [
        {"label": "still", "assets": {"shocks": shocks}},
        {"label": "moved", "assets": {"shocks": [{"name": "A", "shock": -0.2}], "propagate": True}},
        {"label": "market", "factors": {"shocks": [{"name": "market", "shock": -0.1}]}},
    ]
    factors = {"series": panel(MARKET, ["market"])}
    answer = wire.call(ANALYZE, ask(stress=scenarios, groups=groups, factors=factors))
    still, moved, market = answer["stress"]
    assert still["portfolioReturn"] == pytest.approx(0.4 * -0.2 + 0.3 * -0.1)
    covariance = np.cov(RETURNS.T)
    expected = -0.2 * covariance[:, 0] / covariance[0, 0]
    assert [asset["assetReturn"] for asset in moved["assets"]] == pytest.approx(expected, rel=1e-9)
    slopes = np.array([np.polyfit(MARKET, column, 1)[0] for column in RETURNS.T])
    assert market["portfolioReturn"] == pytest.approx(WEIGHTS @ slopes * -0.1, rel=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_correlations_under_stress(wire: Wire, share: float) -> None:
    stress = [{"correlation": {"correlation": 0.95, "fraction": share, "volatilityFactor": 1.5}}]
    [result] = wire.call(ANALYZE, ask(stress=stress))["stress"]
    covariance = np.cov(RETURNS.T)
    deviations = np.sqrt(np.diag(covariance))
    target = np.full((4, 4), 0.95) + 0.05 * np.eye(4)
    mixed = (1 - share) * np.corrcoef(RETURNS.T) + share * target
    assert np.linalg.eigvalsh(mixed)[0] >= -1e-12
    scaled = WEIGHTS * deviations * 1.5
    assert result["volatilityAnnual"] == pytest.approx((scaled @ mixed @ scaled * P) ** 0.5, rel=1e-10)


def test_before_and_after_a_change(wire: Wire) -> None:
    other = np.array([0.1, 0.2, 0.3, 0.4])
    answer = wire.call(ANALYZE, ask(proposedWeights=weights(other)))
    alone = wire.call(ANALYZE, ask(weights=weights(other)))
    for name in ("expectedReturnAnnual", "volatilityAnnual", "sharpe", "maxDrawdown"):
        assert answer["proposed"][name] == pytest.approx(alone[name], rel=1e-12)
    assert answer["proposed"]["turnoverOneWay"] == pytest.approx(0.5 * np.abs(other - WEIGHTS).sum())


def test_forecasts_are_validated(wire: Wire) -> None:
    options = {"method": "METHOD_HISTORICAL", "window": 250, "simulations": 500, "seed": "3"}
    found = wire.call(ANALYZE, ask(validation=options))["validation"]
    hits = [t for t in range(250, T) if -R[t] > -np.quantile(R[t - 250 : t], 0.05)]
    assert found["exceptions"] == len(hits)
    assert found["exceptionDates"] == [DATES[t] for t in hits]
    assert found["observations"] == T - 250
    assert found["expectedExceptions"] == pytest.approx(0.05 * (T - 250))
    n, x = T - 250, len(hits)
    likelihood = (n - x) * np.log(0.95) + x * np.log(0.05) - (n - x) * np.log(1 - x / n) - x * np.log(x / n)
    assert found["kupiec"]["statistic"] == pytest.approx(-2 * likelihood, rel=1e-9)
    for name in ("kupiec", "independence", "conditionalCoverage", "dynamicQuantile", "expectedShortfallZ2"):
        assert 0.0 <= found[name]["pValue"] <= 1.0
    given = {"valueAtRisk": [0.02] * 100, "expectedShortfall": [0.03] * 100}
    own = wire.call(ANALYZE, ask(validation={"forecasts": given}))["validation"]
    assert own["exceptions"] == int((R[-100:] < -0.02).sum())


def test_prices_with_gaps_are_estimated_and_the_report_says_so(wire: Wire) -> None:
    holes = RETURNS.copy()
    holes[:40, 1] = np.nan
    holes[100, 2] = np.nan
    holes[-5:, 3] = np.nan
    answer = wire.call(ANALYZE, ask(returns=panel(holes), missingData="MISSING_DATA_POLICY_MAXIMUM_LIKELIHOOD"))
    missing = answer["missingData"]
    counts = [missing[name] for name in ("missingValues", "notListed", "halted", "delisted")]
    assert counts == [46, 40, 1, 5]
    assert missing["policy"] == "MISSING_DATA_POLICY_MAXIMUM_LIKELIHOOD"
    assert answer["observations"] == T - 46
    complete = holes[~np.isnan(holes).any(axis=1)]
    assert answer["volatilityPerPeriod"] == pytest.approx((complete @ WEIGHTS).std(ddof=1), rel=1e-10)
    total = sum(entry["contribution"] for entry in answer["contributions"])
    assert total == pytest.approx(answer["volatilityAnnual"], rel=0.1)
    dropped = wire.call(ANALYZE, ask(returns=panel(holes), missingData="MISSING_DATA_POLICY_DROP_DATES"))
    assert dropped["missingData"]["droppedDates"] == 46


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"stress": [{"historical": {"name": "nineteen_eighty_four"}}]}, "stress[0].historical.name"),
        ({"stress": [{"assets": {"shocks": [{"name": "Z", "shock": -0.1}]}}]}, "stress[0].assets.shocks[0].name"),
        ({"stress": [{"factors": {"shocks": [{"name": "Z", "shock": -0.1}]}}]}, "stress[0].factors"),
        ({"stress": [{"worstWindows": {"periods": 601}}]}, "stress[0].worst_windows.periods"),
        ({"stress": [{"correlation": {"correlation": -0.9, "fraction": 1}}]}, "stress[0].correlation"),
        ({"stress": [{"historical": {"startDate": {"year": 2006, "month": 3, "day": 1}}}]}, "stress[0].historical"),
        ({"groups": [{"name": "g", "symbols": ["Z"]}]}, "groups[0].symbols[0]"),
        ({"groups": [{"name": "A", "symbols": ["B"]}]}, "groups[0].name"),
        ({"storedGroups": ["sector=Nowhere"]}, "stored_groups[0]"),
        ({"rolling": {"window": 601}}, "rolling.window"),
        ({"rolling": {"window": 20, "figures": ["ROLLING_FIGURE_BETA"]}}, "rolling.figures"),
        ({"validation": {"window": 600}}, "validation"),
        ({"validation": {"forecasts": {"valueAtRisk": [0.1] * 601}}}, "validation.forecasts.value_at_risk"),
        ({"factors": {"principalComponents": 5}}, "factors.principal_components"),
        ({"factors": {"series": panel(np.ones(T) * 0.01, ["flat"])}}, "factors"),
        ({"factors": {"series": panel(MARKET[:300], ["short"])}}, "factors.series.dates"),
        ({"proposedWeights": [{"symbol": "Z", "weight": 1.0}]}, "proposed_weights[0].symbol"),
        ({"clusters": {"clusters": 5}}, "clusters.clusters"),
        ({"volatilityFilter": {"lambda": 1.0}}, "volatility_filter"),
        ({"confidenceLevel": 1e-300}, "confidence_level"),
        ({"cash": 5.0}, ""),
        ({"estimation": {"expectedReturns": {"ewma": {"halfLife": 10}}}}, "estimation.expected_returns"),
        (
            {"estimation": {"views": {"views": [{"terms": weights(), "expectedReturnAnnual": 5.0}]}}},
            "estimation.views",
        ),
        ({"validation": {"window": 9, "forecasts": {"valueAtRisk": [0.1]}}}, "validation"),
        (
            {"stress": [{"correlation": {"correlation": 1, "fraction": 1, "volatilityFactor": 1e300}}]},
            "stress[0].correlation",
        ),
    ],
)
def test_the_field_is_named(wire: Wire, change: dict[str, Any], field: str) -> None:
    refusal = wire.refused(ANALYZE, ask(**change))
    assert refusal.code == "INVALID_ARGUMENT", refusal
    assert any(given.startswith(field) for given in refusal.fields), refusal


def _day(year: int, month: int, day: int) -> dict[str, int]:
    return {"year": year, "month": month, "day": day}


def _days(day: dict[str, int]) -> int:
    return (date(day["year"], day["month"], day["day"]) - date(1970, 1, 1)).days


def test_more_assets_than_correlations_fit_into_a_message(wire: Wire) -> None:
    """The answer stays below the 4 MiB that a client takes."""
    many = RNG.standard_normal((60, 700)) * 0.01
    symbols = [f"S{i}" for i in range(700)]
    held = [{"symbol": symbol, "weight": 1 / 700} for symbol in symbols]
    request = {"returns": panel(many, symbols), "weights": held, "periodsPerYear": P}
    answer = wire.call(ANALYZE, request)
    assert "EstimateRiskModel" in answer["undefined"]["correlation"]
    assert len(answer["contributions"]) == 700
    refusal = wire.refused(ANALYZE, request | {"stress": [{"worstWindows": {"periods": 1, "count": 50}}] * 3})
    assert refusal.fields == ("stress",)


def test_an_answer_is_never_longer_than_a_message(wire: Wire) -> None:
    """500 assets by 490 components are two megabytes, as their correlations are; groups of each measure do the rest."""
    many = RNG.standard_normal((510, 500)) * 0.01
    symbols = [f"S{i}" for i in range(500)]
    held = [{"symbol": symbol, "weight": 1 / 500} for symbol in symbols]
    measures = sorted({name for name in RiskMeasure.DESCRIPTOR.values_by_name if "RL" not in name} - UNUSED)
    request = {"returns": panel(many, symbols), "weights": held, "periodsPerYear": P}
    request |= {"factors": {"principalComponents": 490}, "measures": measures[:8]}
    answer = wire.call(ANALYZE, request)
    assert "longer than a message" in answer["undefined"]["correlation"]
    assert len(answer["factorExposures"]) == 500
    groups = [{"name": f"group {i}", "symbols": [symbols[i % 500]]} for i in range(2500)]
    refusal = wire.refused(ANALYZE, request | {"measures": measures, "groups": groups})
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("measures",))


def test_what_cannot_happen_is_not_beyond_the_quantile(wire: Wire) -> None:
    scenarios = {"symbols": ["A"], "values": [-0.9, -0.1, 0.1], "probabilities": [0.0, 0.5, 0.5], "periodsPerYear": 1}
    held = [{"symbol": "A", "weight": 1.0}]
    conventions = {"meanBeyondQuantile": True}
    answer = wire.call(ANALYZE, {"scenarios": scenarios, "weights": held, "conventions": conventions})
    assert answer["conditionalValueAtRisk"]["historical"] == pytest.approx(0.1)


def test_a_measure_of_moments_and_of_scenarios(wire: Wire) -> None:
    """Moments know the variance; scenarios have no path; and what is absent says why."""
    covariance = np.cov(RETURNS.T)
    moments = {"symbols": SYMBOLS, "covariance": covariance.ravel().tolist(), "periodsPerYear": P}
    names = ["RISK_MEASURE_VARIANCE", "RISK_MEASURE_STANDARD_DEVIATION", "RISK_MEASURE_CVAR"]
    answer = wire.call(ANALYZE, {"moments": moments, "weights": weights(), "measures": names})
    variance, deviation, cvar = answer["measures"]
    assert variance["value"] == pytest.approx(WEIGHTS @ covariance @ WEIGHTS, rel=1e-12)
    assert deviation["value"] == pytest.approx((WEIGHTS @ covariance @ WEIGHTS) ** 0.5, rel=1e-12)
    for one in (variance, deviation):
        assert sum(entry["contribution"] for entry in one["contributions"]) == pytest.approx(one["value"], rel=1e-12)
    assert "value" not in cvar
    scenarios = {"symbols": SYMBOLS, "values": RETURNS[:10].ravel().tolist(), "periodsPerYear": P}
    names = ["RISK_MEASURE_ULCER_INDEX", "RISK_MEASURE_EVAR"]
    answer = wire.call(ANALYZE, {"scenarios": scenarios, "weights": weights(), "measures": names})
    assert "order in time" in answer["undefined"]["measures[ULCER_INDEX]"]
    assert answer["measures"][1]["value"] == pytest.approx(answer["entropicValueAtRisk"])


PRICES = 100.0 * np.cumprod(np.vstack([np.ones(4), 1.0 + RETURNS]), axis=0)
PRICE_DATES = [FIRST - 1, *DATES]
PRICED = {"prices": panel(PRICES, dates=PRICE_DATES), "weights": weights()}


def test_a_benchmark_with_fewer_prices_is_annualised_by_its_own_periods(wire: Wire) -> None:
    """Every twentieth price: thirty returns of twenty days, of which 18.25 make a year."""
    index = np.cumprod(np.append(1.0, 1.0 + MARKET))[::20]
    answer = wire.call(ANALYZE, PRICED | {"benchmark": panel(index, ["M"], PRICE_DATES[::20])})
    ours = PRICES[::20][1:] / PRICES[::20][:-1] - 1.0
    active = ours @ WEIGHTS - (index[1:] / index[:-1] - 1.0)
    assert answer["benchmarkObservations"] == len(active) == 30
    assert answer["benchmarkPeriodsPerYear"] == pytest.approx(365 / 20)
    assert answer["trackingErrorAnnual"] == pytest.approx(active.std(ddof=1) * 18.25**0.5, rel=1e-9)
    assert answer["periodsPerYear"] == 365.0
    whole = wire.call(ANALYZE, PRICED | {"benchmark": panel(index.repeat(20)[: T + 1], ["M"], PRICE_DATES)})
    assert whole["benchmarkPeriodsPerYear"] == 365.0


@pytest.mark.parametrize("policy", ["MAXIMUM_LIKELIHOOD", "PAIRWISE"])
def test_gaps_left_to_an_estimator_do_not_shrink_the_year_beside_a_benchmark(wire: Wire, policy: str) -> None:
    """One asset has prices on ten of thirty days: 201 dates of 601 are compared, over 200 periods instead of 600."""
    sparse = PRICES.copy()
    sparse[np.arange(T + 1) % 30 >= 10, 1] = np.nan
    index = panel(np.cumprod(np.append(1.0, 1.0 + MARKET)), ["M"], PRICE_DATES)
    request = PRICED | {"prices": panel(sparse, dates=PRICE_DATES), "benchmark": index}
    answer = wire.call(ANALYZE, request | {"missingData": f"MISSING_DATA_POLICY_{policy}"})
    assert answer["periodsPerYear"] == 365.0
    assert answer["benchmarkObservations"] == 200
    assert answer["benchmarkPeriodsPerYear"] == pytest.approx(365 / 3)


def test_dates_that_are_dropped_do_not_shrink_the_year(wire: Wire) -> None:
    """One asset has a price a month only: what is left are monthly prices, and a day more or less changes nothing."""
    monthly = PRICES.copy()
    monthly[np.arange(T + 1) % 30 != 0, 1] = np.nan
    dropped = {"missingData": "MISSING_DATA_POLICY_DROP_DATES"}
    answer = wire.call(ANALYZE, PRICED | dropped | {"prices": panel(monthly, dates=PRICE_DATES)})
    assert (answer["periodsPerYear"], answer["observations"]) == (12.0, 20)
    single = PRICES.copy()
    single[100, 2] = np.nan
    answer = wire.call(ANALYZE, PRICED | dropped | {"prices": panel(single, dates=PRICE_DATES)})
    assert (answer["periodsPerYear"], answer["observations"]) == (365.0, T - 1)


def test_a_window_is_not_told_without_its_worst_day(wire: Wire) -> None:
    holes = RETURNS.copy()
    holes[70, 0] = np.nan
    window = {"historical": {"startDate": _day(2006, 3, 1), "endDate": _day(2006, 3, 31)}}
    policy = {"missingData": "MISSING_DATA_POLICY_DROP_DATES", "stress": [window]}
    [result] = wire.call(ANALYZE, ask(returns=panel(holes), **policy))["stress"]
    assert "does not cover" in result["undefined"]
    prices = PRICES.copy()
    prices[71, 0] = np.nan
    [result] = wire.call(ANALYZE, PRICED | policy | {"prices": panel(prices, dates=PRICE_DATES)})["stress"]
    first = (date(2006, 3, 1) - date(1970, 1, 1)).days - FIRST + 1
    expected = WEIGHTS @ (np.prod(1.0 + RETURNS[first : first + 30], axis=0) - 1.0)
    assert result["portfolioReturn"] == pytest.approx(expected, rel=1e-9)


def test_a_total_loss_on_the_third_day(wire: Wire) -> None:
    returns = panel(np.array([-0.5, -0.5, -1.0, 0.2, 0.3]), ["X"])
    request = {"returns": returns, "weights": [{"symbol": "X", "weight": 1.0}], "periodsPerYear": P}
    answer = wire.call(ANALYZE, request | {"drawdownSeries": True})
    assert (answer["maxDrawdown"], answer["cagr"], answer["calmar"]) == (1.0, -1.0, -1.0)
    assert answer["drawdownSeries"]["depths"] == pytest.approx([0.5, 0.75, 1.0, 1.0, 1.0])
    # Three times what the portfolio is worth: more is owed than was there, and no more than everything is lost.
    answer = wire.call(ANALYZE, request | {"weights": [{"symbol": "X", "weight": 3.0}], "allowLeverage": True})
    assert (answer["maxDrawdown"], answer["cagr"]) == (1.0, -1.0)


def test_a_risk_that_cancels_has_no_beta(wire: Wire) -> None:
    twins = np.column_stack([RETURNS[:, 0], RETURNS[:, 0] + 0.0001])
    held = [{"symbol": "A", "weight": 1.0}, {"symbol": "B", "weight": -1.0}]
    request = {"returns": panel(twins, ["A", "B"]), "weights": held, "periodsPerYear": P}
    answer = wire.call(ANALYZE, request | {"benchmark": panel(MARKET, ["M"])})
    assert answer["betaToBenchmark"] == 0.0
    assert answer["undefined"]["treynor"] == "beta is zero"


def test_one_complete_date_has_no_volatility(wire: Wire) -> None:
    gaps = RETURNS[:81].copy()
    gaps[np.arange(80), np.arange(80) % 4] = np.nan
    policy = {"missingData": "MISSING_DATA_POLICY_PAIRWISE", "measures": ["RISK_MEASURE_CVAR"]}
    answer = wire.call(ANALYZE, ask(returns=panel(gaps), **policy))
    assert answer["observations"] == 1
    assert answer["undefined"]["volatility_annual"] == "needs at least two returns"
    assert answer["contributions"]


def test_moments_without_means_have_no_return(wire: Wire) -> None:
    moments = {"symbols": SYMBOLS, "covariance": np.cov(RETURNS.T).ravel().tolist(), "periodsPerYear": P}
    answer = wire.call(ANALYZE, {"moments": moments, "weights": weights()})
    assert answer["volatilityAnnual"] > 0.0
    for name in ("expected_return_annual", "sharpe", "value_at_risk.gaussian"):
        assert "expected returns" in answer["undefined"][name]


def test_a_benchmark_without_overlap_leaves_rolling_figures_of_the_portfolio(wire: Wire) -> None:
    late = panel(MARKET, ["M"], [d + 9000 for d in DATES])
    answer = wire.call(ANALYZE, ask(benchmark=late, rolling={"window": 20}))
    assert len(answer["rolling"]) == 12
    named = {"window": 20, "figures": ["ROLLING_FIGURE_BETA"]}
    assert wire.refused(ANALYZE, ask(benchmark=late, rolling=named)).fields == ("rolling.window",)


def test_what_cannot_happen_changes_nothing(wire: Wire) -> None:
    values = RETURNS[:10].ravel().tolist()
    eight = RETURNS[2:10].ravel().tolist()
    chances = [0.0, 0.0] + [0.125] * 8
    ten = {"symbols": SYMBOLS, "values": values, "probabilities": chances, "periodsPerYear": P}
    with_them = wire.call(ANALYZE, {"scenarios": ten, "weights": weights()})
    without = wire.call(
        ANALYZE, {"scenarios": {"symbols": SYMBOLS, "values": eight, "periodsPerYear": P}, "weights": weights()}
    )
    assert with_them == without


def test_a_rate_beyond_numbers_leaves_no_infinity(wire: Wire) -> None:
    answer = wire.call(ANALYZE, ask(riskFreeRateAnnual=1e308, proposedWeights=weights()))
    assert "too large" in answer["undefined"]["sharpe"]
    assert "Infinity" not in str(answer)


def test_a_shock_beyond_numbers_is_absent_with_its_reason(wire: Any) -> None:
    request = {
        "moments": {"symbols": ["A", "B"], "covariance": [0.04, 0.0, 0.0, 0.04], "periodsPerYear": 12},
        "weights": [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5}],
        "stress": [
            {"label": "far", "assets": {"shocks": [{"name": "A", "shock": 1.7e308}, {"name": "B", "shock": 1.7e308}]}}
        ],
    }
    huge = request | {
        "weights": [{"symbol": "A", "weight": 0.9}, {"symbol": "B", "weight": 0.9}],
        "allowLeverage": True,
    }
    (told,) = wire.call("RiskService/AnalyzeRisk", huge)["stress"]
    assert "portfolioReturn" not in told
    assert "too large" in told["undefined"]
