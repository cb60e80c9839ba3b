"""Views on factors: against textbook inverses worked out here, and Riskfolio-Lib where its prior is set."""

import warnings
from typing import Any

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.estimation.covariance import EwmaCovariance, SampleCovariance
from domain.estimation.expected_returns import EwmaMean, Implied, SampleMean
from domain.estimation.factor_model import FactorMethod, FactorModel
from domain.estimation.factor_views import FactorViews
from domain.estimation.moments import Estimation, Views, estimate_moments
from domain.estimation.views import View, black_litterman
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel

T, N, K, P = 120, 5, 3, 252.0
RNG = np.random.default_rng(4)
FACTORS = RNG.standard_normal((T, K)) @ np.triu(np.full((K, K), 0.4) + 0.6 * np.eye(K)) * 0.01 + 0.0005
ASSETS = 0.0003 + FACTORS @ RNG.normal(0.5, 0.5, (K, N)) + 0.008 * RNG.standard_normal((T, N))
STOCKS, NAMES = tuple("ABCDE"), ("VALUE", "SIZE", "RATES")
PANEL = ReturnPanel.of((*NAMES, *STOCKS), range(T), np.hstack([FACTORS, ASSETS]))
MODEL = FactorModel(NAMES, FactorMethod.LEAST_SQUARES)
STEPWISE = FactorModel(NAMES)
MARKET = Implied({"A": 0.5, "B": 0.3, "E": 0.2}, 2.5)
ON_FACTORS = (View({"VALUE": 1.0}, 0.12), View({"SIZE": 1.0, "RATES": -1.0}, 0.03))
ON_ASSETS = (View({"A": 1.0, "C": -1.0}, 0.05),)


def inverse(matrix: np.ndarray) -> np.ndarray:
    return np.linalg.inv(matrix)


def asked(views: tuple[View, ...], **more: Any) -> Moments:
    model = more.pop("model", MODEL)
    estimators = {k: more.pop(k) for k in ("expected_returns", "covariance") if k in more}
    how = FactorViews(model, more.pop("augmented", False))
    return estimate_moments(PANEL, Estimation(**estimators, views=Views(views, factors=how, **more)), P)


def bayes(mean: np.ndarray, prior: np.ndarray, picks: np.ndarray, errors: np.ndarray, wanted: np.ndarray) -> Any:
    """Mean and covariance of a normal parameter after views, by precisions."""
    after = inverse(inverse(prior) + picks.T @ inverse(errors) @ picks)
    return after @ (inverse(prior) @ mean + picks.T @ inverse(errors) @ wanted), after


PICKS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, -1.0]])
WANTED = np.array([0.12, 0.03]) / P


@pytest.mark.parametrize("model", [MODEL, STEPWISE, FactorModel(NAMES, FactorMethod.PRINCIPAL_COMPONENTS)])
@pytest.mark.parametrize("tau", [0.05, 1.0])
def test_bayesian_posterior_by_precisions(model: FactorModel, tau: float) -> None:
    found = asked(ON_FACTORS, model=model, tau=tau)
    fit = model.fit(FACTORS, ASSETS)
    own = np.cov(FACTORS.T)
    errors = np.diag(np.diag(PICKS @ (tau * own) @ PICKS.T))
    nu, spread = bayes(FACTORS.mean(axis=0), tau * own, PICKS, errors, WANTED)
    assert found.symbols == STOCKS
    assert found.expected_returns == pytest.approx(fit.alphas + fit.exposures @ nu, rel=1e-9)
    assert found.covariance == pytest.approx(fit.covariance + fit.exposures @ spread @ fit.exposures.T, rel=1e-9)


def test_a_factor_moves_as_far_as_the_confidence_says() -> None:
    """Idzorek's meaning, through the loadings: an annual return of 12 % is met in full by a view without doubt."""
    fit = MODEL.fit(FACTORS, ASSETS)
    before = FACTORS.mean(axis=0)
    for confidence in (0.25, 1.0):
        found = asked((View({"VALUE": 1.0}, 0.12, confidence=confidence),))
        moved = (found.expected_returns - ASSETS.mean(axis=0)) * P
        along = np.cov(FACTORS.T)[:, 0] / np.cov(FACTORS.T)[0, 0]
        step = confidence * (0.12 - P * before[0])
        assert moved == pytest.approx(fit.exposures @ along * step, rel=1e-8)


def test_views_are_per_year_whatever_the_period() -> None:
    """The same variance per year given on daily and on yearly data moves the means alike."""
    view = (View({"VALUE": 1.0}, 0.12, variance_annual=0.0004),)
    estimation = Estimation(views=Views(view, factors=FactorViews(MODEL)))
    daily = estimate_moments(PANEL, estimation, P)
    # Means and covariance of daily data times 252 are those of a year: scaled returns have them.
    centred = PANEL.values - PANEL.values.mean(axis=0)
    scaled = ReturnPanel(PANEL.symbols, PANEL.dates, centred * P**0.5 + P * PANEL.values.mean(axis=0))
    yearly = estimate_moments(scaled, estimation, 1.0)
    assert P * daily.expected_returns == pytest.approx(yearly.expected_returns, rel=1e-8)
    assert P * daily.covariance == pytest.approx(yearly.covariance, rel=1e-8)


def test_bayesian_takes_another_covariance_where_one_is_named() -> None:
    found = asked(ON_FACTORS, covariance=EwmaCovariance(30.0))
    usual = asked(ON_FACTORS)
    fit = MODEL.fit(FACTORS, ASSETS)
    assert found.covariance - EwmaCovariance(30.0).estimate(ASSETS) == pytest.approx(
        usual.covariance - fit.covariance, rel=1e-6, abs=1e-12
    )
    assert found.expected_returns == pytest.approx(usual.expected_returns, rel=1e-12)
    assert found.repair is None


def test_bayesian_priors() -> None:
    """The estimator of expected returns is that of the factors; implied returns are those of the market portfolio."""
    fit, own = MODEL.fit(FACTORS, ASSETS), np.cov(FACTORS.T)
    sure = (View({"VALUE": 1.0}, 0.0, variance_annual=1e12),)  # says nothing
    recent = 0.5 ** (np.arange(T)[::-1] / 20.0)
    xi = recent @ FACTORS / recent.sum()
    found = asked(sure, expected_returns=EwmaMean(20.0))
    assert found.expected_returns == pytest.approx(fit.alphas + fit.exposures @ xi, rel=1e-6)
    market = np.array([0.5, 0.3, 0.0, 0.0, 0.2])
    for more in ({"prior": MARKET}, {"expected_returns": MARKET}):
        found = asked(sure, **more)
        assert found.expected_returns == pytest.approx(2.5 * fit.covariance @ market, rel=1e-6)
    found = asked(ON_FACTORS, prior=MARKET)
    errors = np.diag(np.diag(PICKS @ (0.05 * own) @ PICKS.T))
    before = 2.5 * own @ fit.exposures.T @ market
    nu, _ = bayes(before, 0.05 * own, PICKS, errors, WANTED)
    expected = 2.5 * fit.covariance @ market + fit.exposures @ (nu - before)
    assert found.expected_returns == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("views", [ON_FACTORS, ON_ASSETS, ON_ASSETS + ON_FACTORS])
@pytest.mark.parametrize("covariance", [SampleCovariance(), MODEL, STEPWISE])
def test_augmented_posterior_by_precisions(views: tuple[View, ...], covariance: Any) -> None:
    found = asked(views, covariance=covariance, augmented=True)
    fit, own = MODEL.fit(FACTORS, ASSETS), np.cov(FACTORS.T)
    sigma = np.cov(ASSETS.T) if isinstance(covariance, SampleCovariance) else covariance.fit(FACTORS, ASSETS).covariance
    across = fit.exposures @ own
    joint = np.block([[sigma, across], [across.T, own]])
    if np.linalg.eigvalsh(joint)[0] < 1e-12:
        pytest.fail("the inverses below need a joint covariance that has one")
    symbols = (*STOCKS, *NAMES)
    picks = np.zeros((len(views), N + K))
    for i, view in enumerate(views):
        for symbol, weight in view.terms.items():
            picks[i, symbols.index(symbol)] = weight
    errors = np.diag(np.diag(picks @ (0.05 * joint) @ picks.T))
    wanted = np.array([view.expected_return_annual for view in views]) / P
    prior = np.concatenate([ASSETS.mean(axis=0), FACTORS.mean(axis=0)])
    mean, spread = bayes(prior, 0.05 * joint, picks, errors, wanted)
    assert found.symbols == STOCKS
    assert found.expected_returns == pytest.approx(mean[:N], rel=1e-8)
    assert found.covariance == pytest.approx((joint + spread)[:N, :N], rel=1e-8)


def test_augmented_with_views_on_assets_alone_is_black_litterman() -> None:
    """Factors that nobody speaks of change nothing."""
    found = asked(ON_ASSETS, augmented=True, prior=MARKET)
    sigma = np.cov(ASSETS.T)
    prior = 2.5 * sigma @ np.array([0.5, 0.3, 0.0, 0.0, 0.2])
    plain = black_litterman(STOCKS, prior, sigma, ON_ASSETS, P)
    assert found.expected_returns == pytest.approx(plain.expected_returns, rel=1e-9)
    assert found.covariance == pytest.approx(plain.covariance, rel=1e-9)


def test_both_methods_agree_where_assets_are_what_the_model_says() -> None:
    """With the model's own covariance a view on factors moves assets alike: their premia are all that is uncertain."""
    through, beside = asked(ON_FACTORS), asked(ON_FACTORS, augmented=True, covariance=MODEL)
    assert through.expected_returns == pytest.approx(beside.expected_returns, rel=1e-9)
    # The augmented method is unsure of what is specific as well.
    more = beside.covariance - through.covariance
    assert more == pytest.approx(0.05 * np.diag(MODEL.fit(FACTORS, ASSETS).specific_variances), rel=1e-6, abs=1e-12)


def test_a_joint_covariance_that_is_none_is_repaired_and_says_so() -> None:
    """Stepwise loadings of fewer returns than assets: what they leave out is missing from the sample's covariance."""
    few, many = 9, 20
    generator = np.random.default_rng(1)
    factors = generator.standard_normal((few, 2)) * 0.01
    assets = factors @ generator.normal(0.4, 0.5, (2, many)) + 0.01 * generator.standard_normal((few, many))
    stocks = tuple(f"A{i}" for i in range(many))
    panel = ReturnPanel.of((*stocks, "F", "G"), range(few), np.hstack([assets, factors]))
    how = FactorViews(FactorModel(("F", "G")), augmented=True)
    found = estimate_moments(panel, Estimation(views=Views((View({"F": 1.0}, 0.1),), factors=how)), P)
    assert found.repair is not None
    assert found.repair.smallest_eigenvalue < 0.0
    assert np.linalg.eigvalsh(found.covariance)[0] >= -1e-12
    assert np.isfinite(found.expected_returns).all()


def test_views_on_the_wrong_things() -> None:
    with pytest.raises(InvalidInput, match="AUGMENTED") as raised:
        asked((ON_FACTORS[0], View({"SIZE": 1.0, "A": -1.0}, 0.1)))
    assert raised.value.field == "views[1].terms[1].symbol"
    with pytest.raises(InvalidInput) as raised:
        asked((View({"MARS": 1.0}, 0.1),), augmented=True)
    assert raised.value.field == "views[0].terms[0].symbol"
    for augmented in (True, False):
        with pytest.raises(InvalidInput, match="not a symbol") as raised:
            asked(ON_FACTORS, prior=Implied({"A": 0.5, "VALUE": 0.5}, 2.5), augmented=augmented)
        assert raised.value.field == "market_weights[1].symbol"
    with pytest.raises(InvalidInput, match="entropy pooling does not support factors"):
        Views(ON_FACTORS, pooled=True, factors=FactorViews(MODEL))


def tables() -> tuple[Any, Any, Any]:
    """Assets, factors, loadings with their constant."""
    import pandas as pd

    fit = MODEL.fit(FACTORS, ASSETS)
    loadings = pd.DataFrame(np.column_stack([fit.alphas, fit.exposures]), STOCKS, ["const", *NAMES])
    return pd.DataFrame(ASSETS, columns=list(STOCKS)), pd.DataFrame(FACTORS, columns=list(NAMES)), loadings


def test_the_bayesian_numbers_of_riskfolio() -> None:
    """There tau is 1 for the premia but 1 / T for views without a variance of their own, so these have one here."""
    assets, factors, loadings = tables()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import riskfolio as rp

        mean, covariance, _ = rp.black_litterman_bayesian(assets, factors, loadings, PICKS, WANTED[:, None])
    errors = np.diag(PICKS @ np.cov(FACTORS.T) @ PICKS.T) / T * P
    views = tuple(
        View(view.terms, view.expected_return_annual, variance_annual=error)
        for view, error in zip(ON_FACTORS, errors.tolist(), strict=True)
    )
    found = asked(views, tau=1.0)
    assert found.expected_returns == pytest.approx(mean.to_numpy()[0], rel=1e-8)
    assert found.covariance == pytest.approx(covariance.to_numpy(), rel=1e-8)


@pytest.mark.parametrize("implied", [True, False])
def test_the_augmented_numbers_of_riskfolio(implied: bool) -> None:
    """With tau = 1 / T. Its constant is left out: it would add alpha to a mean that has it."""
    import pandas as pd

    assets, factors, loadings = tables()
    market = pd.DataFrame([0.5, 0.3, 0.0, 0.0, 0.2], STOCKS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import riskfolio as rp

        mean, covariance, _ = rp.augmented_black_litterman(
            assets,
            market,
            F=factors,
            B=loadings[list(NAMES)],
            P=np.array([[1.0, 0.0, -1.0, 0.0, 0.0]]),
            P_f=PICKS,
            Q=np.array([[0.05 / P]]),
            Q_f=WANTED[:, None],
            delta=2.5,
            eq=implied,
            const=False,
        )
    found = asked(ON_ASSETS + ON_FACTORS, augmented=True, tau=1 / T, prior=MARKET if implied else None)
    assert found.expected_returns == pytest.approx(mean.to_numpy()[0], rel=1e-8)
    assert found.covariance == pytest.approx(covariance.to_numpy(), rel=1e-8)


def test_factors_do_not_change_a_plain_estimate() -> None:
    """Black and Litterman's own method beside a factor model has the model's moments as its prior."""
    found = estimate_moments(PANEL, Estimation(SampleMean(), MODEL, Views(ON_ASSETS)), P)
    fit = MODEL.fit(FACTORS, ASSETS)
    plain = black_litterman(STOCKS, ASSETS.mean(axis=0), fit.covariance, ON_ASSETS, P)
    assert found.expected_returns == pytest.approx(plain.expected_returns, rel=1e-9)
    assert found.covariance == pytest.approx(plain.covariance, rel=1e-9)
