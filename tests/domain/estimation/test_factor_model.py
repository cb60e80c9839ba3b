"""Factor models against numpy's least squares, statsmodels' criteria and Riskfolio-Lib's choices."""

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

from domain.errors import InvalidInput, NotSupported
from domain.estimation.covariance import EwmaCovariance, SampleCovariance
from domain.estimation.expected_returns import BayesStein, EwmaMean, Sample, SampleMean
from domain.estimation.factor_model import FactorMethod, FactorModel
from domain.estimation.factor_views import FactorViews
from domain.estimation.moments import Estimation, Views, estimate_moments
from domain.estimation.stepwise import Criterion, Direction
from domain.estimation.views import View
from domain.market_data.panel import ReturnPanel
from domain.risk.factors import regressed

T, N, K = 160, 7, 5
RNG = np.random.default_rng(11)
FACTORS = RNG.standard_t(6, (T, K)) @ RNG.uniform(-0.3, 1.0, (K, K)) * 0.01 + 0.0004
LOADINGS = np.where(RNG.random((N, K)) < 0.5, RNG.normal(0.0, 0.8, (N, K)), 0.0)
LOADINGS[:, 0] = RNG.uniform(0.6, 1.4, N)
ASSETS = 0.0002 + FACTORS @ LOADINGS.T + 0.01 * RNG.standard_normal((T, N))
NAMES = tuple(f"F{k}" for k in range(K))
STOCKS = tuple(f"A{i}" for i in range(N))
# Factors stand between the assets, as they may in a request.
PANEL = ReturnPanel.of((*STOCKS[:3], *NAMES, *STOCKS[3:]), range(T), np.hstack([ASSETS[:, :3], FACTORS, ASSETS[:, 3:]]))
LEAST = FactorModel(NAMES, FactorMethod.LEAST_SQUARES)


def with_intercept(chosen: list[int]) -> np.ndarray:
    return np.hstack([np.ones((T, 1)), FACTORS[:, chosen]])


def ols(chosen: list[int], asset: np.ndarray) -> Any:
    import statsmodels.api as sm

    return sm.OLS(asset, with_intercept(chosen)).fit()


def chosen_by(model: FactorModel) -> list[list[int]]:
    exposures = model.fit(FACTORS, ASSETS).exposures
    return [np.flatnonzero(row).tolist() for row in exposures]


def test_least_squares_are_those_of_numpy() -> None:
    fit = LEAST.fit(FACTORS, ASSETS)
    slopes = np.linalg.lstsq(with_intercept(list(range(K))), ASSETS, rcond=None)[0]
    assert fit.alphas == pytest.approx(slopes[0], rel=1e-9)
    assert fit.exposures == pytest.approx(slopes[1:].T, rel=1e-9)
    residuals = ASSETS - with_intercept(list(range(K))) @ slopes
    expected = slopes[1:].T @ np.cov(FACTORS.T) @ slopes[1:] + np.diag(residuals.var(axis=0, ddof=1))
    assert fit.covariance == pytest.approx(expected, rel=1e-9)


def test_it_is_the_regression_of_the_risk_report() -> None:
    report = regressed(ReturnPanel.of(STOCKS, range(T), ASSETS), ReturnPanel.of(NAMES, range(T), FACTORS))
    fit = LEAST.fit(FACTORS, ASSETS)
    assert report.covariance.tolist() == fit.covariance.tolist()
    assert report.alphas.tolist() == fit.alphas.tolist()


MODELS = [
    LEAST,
    FactorModel(NAMES, FactorMethod.PRINCIPAL_COMPONENTS, explained_variance=0.8),
    *(
        FactorModel(NAMES, FactorMethod.STEPWISE, direction, criterion)
        for direction, criterion in itertools.product(Direction, Criterion)
    ),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.method}-{m.direction}-{m.criterion}")
def test_variances_and_means_are_the_samples(model: FactorModel) -> None:
    """With one divisor for all parts; any other shows here."""
    moments = estimate_moments(PANEL, Estimation(model, model), 252)
    assert moments.symbols == STOCKS
    assert np.diag(moments.covariance) == pytest.approx(ASSETS.var(axis=0, ddof=1), rel=1e-9)
    assert moments.expected_returns == pytest.approx(ASSETS.mean(axis=0), rel=1e-9)
    assert moments.repair is None


@pytest.mark.parametrize("direction", Direction)
def test_every_factor_that_stays_is_significant(direction: Direction) -> None:
    for i, chosen in enumerate(chosen_by(FactorModel(NAMES, direction=direction))):
        assert chosen
        assert ols(chosen, ASSETS[:, i]).pvalues[1:].max() <= 0.05
        for other in set(range(K)) - set(chosen):
            joined = ols([*chosen, other], ASSETS[:, i]).pvalues[1:]
            assert direction is Direction.BACKWARD or joined.max() > 0.05


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("criterion", [Criterion.AIC, Criterion.BIC, Criterion.ADJUSTED_R_SQUARED])
def test_no_single_step_improves_the_criterion(direction: Direction, criterion: Criterion) -> None:
    name, sign = {
        Criterion.AIC: ("aic", 1.0),
        Criterion.BIC: ("bic", 1.0),
        Criterion.ADJUSTED_R_SQUARED: ("rsquared_adj", -1.0),
    }[criterion]
    for i, chosen in enumerate(chosen_by(FactorModel(NAMES, direction=direction, criterion=criterion))):
        best = sign * getattr(ols(chosen, ASSETS[:, i]), name)
        steps = [[*chosen, j] for j in range(K) if j not in chosen]
        if direction is Direction.BACKWARD:
            steps = [[j for j in chosen if j != left] for left in chosen]
        assert all(sign * getattr(ols(step, ASSETS[:, i]), name) >= best for step in steps)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(
    ("criterion", "theirs"),
    [
        (Criterion.P_VALUE, "pvalue"),
        (Criterion.AIC, "AIC"),
        (Criterion.BIC, "SIC"),
        (Criterion.ADJUSTED_R_SQUARED, "R2_A"),
    ],
)
def test_riskfolio_chooses_the_same_factors(direction: Direction, criterion: Criterion, theirs: str) -> None:
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import riskfolio as rp

        table = rp.loadings_matrix(
            pd.DataFrame(FACTORS, columns=list(NAMES)),
            pd.DataFrame(ASSETS, columns=list(STOCKS)),
            stepwise=direction.capitalize(),
            criterion=theirs,
        )
    fit = FactorModel(NAMES, direction=direction, criterion=criterion).fit(FACTORS, ASSETS)
    assert fit.exposures == pytest.approx(table[list(NAMES)].to_numpy(), rel=1e-8, abs=1e-12)
    assert fit.alphas == pytest.approx(table["const"].to_numpy(), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95, 0.999])
def test_principal_components_are_those_of_riskfolio_with_one_scale(share: float) -> None:
    """It standardises with the divisor T and maps back with T - 1, which makes its loadings smaller by that much."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import riskfolio as rp

        table = rp.loadings_matrix(
            pd.DataFrame(FACTORS, columns=list(NAMES)),
            pd.DataFrame(ASSETS, columns=list(STOCKS)),
            feature_selection="PCR",
            n_components=share,
        )
    model = FactorModel(NAMES, FactorMethod.PRINCIPAL_COMPONENTS, explained_variance=share)
    ours = model.fit(FACTORS, ASSETS).exposures
    assert ours * ((T - 1) / T) ** 0.5 == pytest.approx(table[list(NAMES)].to_numpy(), rel=1e-8)


def test_all_components_are_all_factors() -> None:
    everything = FactorModel(NAMES, FactorMethod.PRINCIPAL_COMPONENTS, explained_variance=1.0)
    assert everything.fit(FACTORS, ASSETS).exposures == pytest.approx(LEAST.fit(FACTORS, ASSETS).exposures, rel=1e-8)


def test_an_asset_that_no_factor_explains_keeps_none() -> None:
    """A threshold means what it says, where others keep the least bad factor."""
    noise = np.random.default_rng(3).standard_normal((T, 1)) * 0.01
    centred = FACTORS - FACTORS.mean(axis=0)
    apart = noise - centred @ np.linalg.lstsq(centred, noise, rcond=None)[0]
    for model in MODELS[2:]:
        fit = model.fit(FACTORS, apart)
        assert not fit.exposures.any()
        assert fit.specific_variances == pytest.approx(apart.var(axis=0, ddof=1))


@pytest.mark.parametrize("model", MODELS[2:], ids=lambda m: f"{m.direction}-{m.criterion}")
def test_a_perfect_fit_takes_no_factor_for_rounding(model: FactorModel) -> None:
    exact = 0.001 + FACTORS[:, [1]] * 0.7
    exposures = model.fit(FACTORS, exact).exposures
    assert exposures[0] == pytest.approx([0.0, 0.7, 0.0, 0.0, 0.0], abs=1e-12)
    assert np.flatnonzero(exposures[0]).tolist() == [1]


def test_an_asset_that_does_not_vary_has_no_covariance() -> None:
    still = ReturnPanel.of((*NAMES, "A", "CASH"), range(T), np.hstack([FACTORS, ASSETS[:, :1], np.full((T, 1), 0.001)]))
    for model in MODELS:
        moments = estimate_moments(still, Estimation(model, model), 252)
        assert moments.covariance[1].tolist() == moments.covariance[:, 1].tolist() == [0.0, 0.0]
        assert moments.expected_returns[1] == pytest.approx(0.001, rel=1e-12)


def test_the_unit_of_a_factor_does_not_matter() -> None:
    """Factors a million times larger: loadings a million times smaller, the same covariance."""
    scale = np.array([1.0, 1e6, 1.0, 1e-6, 1.0])
    for model in MODELS:
        one, other = model.fit(FACTORS, ASSETS), model.fit(FACTORS * scale, ASSETS)
        assert other.covariance == pytest.approx(one.covariance, rel=1e-7)
        assert other.exposures * scale == pytest.approx(one.exposures, rel=1e-7, abs=1e-9)


def test_the_order_of_factors_does_not_matter() -> None:
    turned = FactorModel(NAMES[::-1], FactorMethod.LEAST_SQUARES)
    one = estimate_moments(PANEL, Estimation(LEAST, turned), 252)
    assert one.covariance.tolist() == estimate_moments(PANEL, Estimation(covariance=LEAST), 252).covariance.tolist()


def test_more_assets_than_returns_have_an_invertible_covariance() -> None:
    few = ReturnPanel.of((*NAMES, *STOCKS), range(12), np.hstack([FACTORS, ASSETS])[:12])
    eigenvalues = np.linalg.eigvalsh(estimate_moments(few, Estimation(covariance=LEAST), 252).covariance)
    assert eigenvalues[0] > 1e-6


COLLINEAR = np.hstack([FACTORS[:, :2], FACTORS[:, :1] + 2.0 * FACTORS[:, 1:2]])


@pytest.mark.parametrize(
    ("factors", "rule"),
    [
        (COLLINEAR, "combination"),
        (np.hstack([FACTORS[:, :2], np.full((T, 1), 0.01)]), "vary"),
        (FACTORS[:4, :3], "3 factors need at least 5 common returns, have 4"),
        # Two series that differ by what rounding left of their prices.
        (np.hstack([FACTORS[:, :2], FACTORS[:, :1] + 1e-15 * RNG.standard_normal((T, 1))]), "combination"),
    ],
)
@pytest.mark.parametrize("method", [FactorMethod.LEAST_SQUARES, FactorMethod.STEPWISE])
def test_factors_that_a_regression_cannot_use(factors: np.ndarray, rule: str, method: FactorMethod) -> None:
    count = len(factors)
    panel = ReturnPanel.of((*STOCKS, "X", "Y", "Z"), range(count), np.hstack([ASSETS[:count], factors]))
    model = FactorModel(("X", "Y", "Z"), method)
    for estimation, path in [
        (Estimation(covariance=model), "estimation.covariance.factor_model.factors"),
        (Estimation(model), "estimation.expected_returns.factor_model.factors"),
        (
            Estimation(views=Views((View({"X": 1.0}, 0.1),), factors=FactorViews(model))),
            "estimation.views.factor_model.factors",
        ),
    ]:
        with pytest.raises(InvalidInput, match=rule) as raised:
            estimate_moments(panel, estimation, 252)
        assert raised.value.field == path


def test_components_bear_collinear_factors() -> None:
    for share in (0.95, 1.0):
        model = FactorModel(("X", "Y", "Z"), FactorMethod.PRINCIPAL_COMPONENTS, explained_variance=share)
        pair = FactorModel(("X", "Y"), FactorMethod.LEAST_SQUARES).fit(COLLINEAR[:, :2], ASSETS)
        fit = model.fit(COLLINEAR, ASSETS)
        assert np.diag(fit.covariance) == pytest.approx(ASSETS.var(axis=0, ddof=1), rel=1e-9)
        if share == 1.0:
            assert fit.covariance == pytest.approx(pair.covariance, rel=1e-8)
    with pytest.raises(InvalidInput, match="vary"):
        model.fit(np.full((T, 1), 0.01), ASSETS)
    with pytest.raises(InvalidInput, match="2 principal components need at least 4 common returns, have 3"):
        model.fit(COLLINEAR[:3], ASSETS[:3])


def test_factors_must_be_symbols_and_leave_assets() -> None:
    for names, field in [
        (("F0", "MARS"), "estimation.covariance.factor_model.factors[1]"),
        ((*NAMES, *STOCKS), "estimation.covariance.factor_model.factors"),
    ]:
        with pytest.raises(InvalidInput) as raised:
            estimate_moments(PANEL, Estimation(covariance=FactorModel(names)), 252)
        assert raised.value.field == field


def test_all_estimators_name_the_same_factors() -> None:
    fewer = FactorModel(NAMES[:2])
    with pytest.raises(InvalidInput, match="same as those of expected_returns") as raised:
        Estimation(LEAST, fewer)
    assert raised.value.field == "covariance.factor_model.factors"
    with pytest.raises(InvalidInput) as raised:
        Estimation(SampleMean(), LEAST, Views((View({"F0": 1.0}, 0.1),), factors=FactorViews(fewer)))
    assert raised.value.field == "views.factor_model.factors"


def test_other_estimators_see_the_assets_alone() -> None:
    alone = ReturnPanel.of(STOCKS, range(T), ASSETS)
    found = estimate_moments(PANEL, Estimation(BayesStein(), LEAST), 252)
    assert found.symbols == STOCKS
    shrunk = BayesStein().estimate(Sample(STOCKS, ASSETS, found.covariance))
    assert found.expected_returns == pytest.approx(shrunk, rel=1e-10)
    ewma = estimate_moments(PANEL, Estimation(LEAST, EwmaCovariance(20.0)), 252)
    assert ewma.covariance == pytest.approx(EwmaCovariance(20.0).estimate(ASSETS), rel=1e-12)
    mean = estimate_moments(PANEL, Estimation(EwmaMean(20.0), LEAST), 252)
    assert mean.expected_returns == pytest.approx(
        estimate_moments(alone, Estimation(EwmaMean(20.0)), 252).expected_returns, rel=1e-12
    )


@pytest.mark.parametrize(
    "wrong",
    [{"factors": ()}, {"factors": ("F", "F")}, {"threshold": 0.0}, {"threshold": 1.0}, {"explained_variance": 0.0}],
)
def test_a_model_is_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        FactorModel(**({"factors": ("F",)} | wrong))


def test_the_augmented_method_has_one_covariance() -> None:
    views = Views((View({"F0": 1.0}, 0.1),), factors=FactorViews(LEAST, augmented=True))
    assert Estimation(SampleMean(), SampleCovariance(), views).factors == set(NAMES)
    with pytest.raises(NotSupported, match="AUGMENTED"):
        Estimation(SampleMean(), EwmaCovariance(20.0), views)
