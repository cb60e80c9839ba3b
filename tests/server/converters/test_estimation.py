"""Estimators and views: each kind with its figures, and the defaults of what is left out."""

from typing import Any

import pytest
from absfinance.v1 import estimation_pb2 as wire
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.estimation.covariance import (
    CovarianceEstimator,
    EwmaCovariance,
    GerberCovariance,
    SampleCovariance,
    SemiCovariance,
)
from domain.estimation.denoising import Denoised, DenoisingMethod
from domain.estimation.expected_returns import (
    BayesStein,
    BodnarOkhrinParolya,
    EwmaMean,
    ExpectedReturnsEstimator,
    Implied,
    JamesStein,
    SampleMean,
    ShrinkageTarget,
)
from domain.estimation.factor_model import FactorMethod, FactorModel
from domain.estimation.factor_views import FactorViews
from domain.estimation.moments import Estimation, Views
from domain.estimation.shrinkage import (
    ConstantCorrelationShrinkage,
    CorrelationShrinkage,
    IdentityShrinkage,
    NonlinearShrinkage,
    OracleApproximatingShrinkage,
    SingleFactorShrinkage,
)
from domain.estimation.sparse import GraphicalLasso, LocalGlobal
from domain.estimation.stepwise import Criterion, Direction
from domain.estimation.views import View
from server.converters.estimation import decay_from_proto, estimation_from_proto

MARKET = {"marketWeights": [{"symbol": "A", "weight": 1.0}], "riskAversion": 2.5}
TERMS = [{"symbol": "A", "weight": 1.0}, {"symbol": "B", "weight": -1.0}]
VIEW = {"terms": TERMS, "expectedReturnAnnual": 0.03}
STEPWISE = FactorModel(("F",), FactorMethod.STEPWISE, Direction.FORWARD, Criterion.P_VALUE, 0.05, 0.95)


def converted(**fields: Any) -> Estimation:
    return estimation_from_proto(json_format.ParseDict(fields, wire.Estimation()))


@pytest.mark.parametrize(
    ("method", "estimator"),
    [
        ({}, SampleMean()),
        ({"sample": {}}, SampleMean()),
        ({"ewma": {"halfLife": 20.0}}, EwmaMean(20.0)),
        ({"ewma": {"lambda": 0.5}}, EwmaMean(1.0)),
        ({"jamesStein": {}}, JamesStein(ShrinkageTarget.GRAND_MEAN)),
        ({"jamesStein": {"target": "TARGET_GRAND_MEAN"}}, JamesStein(ShrinkageTarget.GRAND_MEAN)),
        ({"bayesStein": {"target": "TARGET_VOLATILITY_WEIGHTED"}}, BayesStein(ShrinkageTarget.VOLATILITY_WEIGHTED)),
        ({"bop": {}}, BodnarOkhrinParolya(ShrinkageTarget.GRAND_MEAN)),
        ({"implied": MARKET}, Implied({"A": 1.0}, 2.5)),
        ({"factorModel": {"factors": ["F"]}}, FactorModel(("F",))),
    ],
)
def test_expected_returns(method: dict[str, Any], estimator: ExpectedReturnsEstimator | FactorModel) -> None:
    assert converted(expectedReturns=method).expected_returns == estimator


@pytest.mark.parametrize(
    ("method", "estimator"),
    [
        ({}, SampleCovariance()),
        ({"sample": {}}, SampleCovariance()),
        ({"ewma": {"lambda": 0.5}}, EwmaCovariance(1.0)),
        ({"ewma": {"halfLife": 20.0}}, EwmaCovariance(20.0)),
        ({"semi": {}}, SemiCovariance()),
        ({"oas": {}}, OracleApproximatingShrinkage()),
        ({"ledoitWolf": {}}, IdentityShrinkage()),
        ({"ledoitWolf": {"target": "TARGET_SCALED_IDENTITY"}}, IdentityShrinkage()),
        ({"ledoitWolf": {"target": "TARGET_CONSTANT_CORRELATION"}}, ConstantCorrelationShrinkage()),
        ({"ledoitWolf": {"target": "TARGET_SINGLE_FACTOR"}}, SingleFactorShrinkage()),
        ({"ledoitWolf": {"target": "TARGET_NONLINEAR"}}, NonlinearShrinkage()),
        ({"ledoitWolf": {"target": "TARGET_NO_CORRELATION"}}, CorrelationShrinkage()),
        ({"graphicalLasso": {}}, GraphicalLasso(None)),
        ({"graphicalLasso": {"penalty": 0.1}}, GraphicalLasso(0.1)),
        ({"jLogo": {}}, LocalGlobal()),
        ({"denoised": {}}, Denoised(DenoisingMethod.FIXED, 0)),
        ({"denoised": {"method": "METHOD_SPECTRAL", "detonedComponents": 1}}, Denoised(DenoisingMethod.SPECTRAL, 1)),
        ({"gerber": {"variant": 1}}, GerberCovariance(1, 0.5)),
        ({"gerber": {"variant": 2, "threshold": 0.7}}, GerberCovariance(2, 0.7)),
        ({"factorModel": {"factors": ["F"]}}, FactorModel(("F",))),
    ],
)
def test_covariances(method: dict[str, Any], estimator: CovarianceEstimator | FactorModel) -> None:
    assert converted(covariance=method).covariance == estimator


def test_a_factor_model_with_all_fields() -> None:
    found = converted(
        covariance={
            "factorModel": {
                "factors": ["F", "G"],
                "method": "METHOD_PRINCIPAL_COMPONENTS",
                "direction": "DIRECTION_BACKWARD",
                "criterion": "CRITERION_BIC",
                "threshold": 0.1,
                "explainedVariance": 0.8,
            }
        }
    )
    method = FactorMethod.PRINCIPAL_COMPONENTS
    assert found.covariance == FactorModel(("F", "G"), method, Direction.BACKWARD, Criterion.BIC, 0.1, 0.8)


def test_a_factor_model_with_few_fields() -> None:
    assert converted(covariance={"factorModel": {"factors": ["F"]}}).covariance == STEPWISE


def test_no_views() -> None:
    assert converted().views is None


def test_views_with_few_fields() -> None:
    found = converted(views={"views": [VIEW]}).views
    assert found == Views((View({"A": 1.0, "B": -1.0}, 0.03, None, None),), None, 0.05, False, None)


def test_views_with_all_fields() -> None:
    views = [VIEW | {"confidence": 0.4}, VIEW | {"varianceAnnual": 0.01}]
    found = converted(views={"views": views, "prior": MARKET, "tau": 0.1, "method": "METHOD_ENTROPY_POOLING"}).views
    assert found is not None
    assert [(view.confidence, view.variance_annual) for view in found.views] == [(0.4, None), (None, 0.01)]
    assert (found.prior, found.tau) == (Implied({"A": 1.0}, 2.5), 0.1)
    assert found == Views(found.views, found.prior, 0.1, True, None)


@pytest.mark.parametrize(
    ("method", "augmented"),
    [("METHOD_BAYESIAN_BLACK_LITTERMAN", False), ("METHOD_AUGMENTED_BLACK_LITTERMAN", True)],
)
def test_views_on_factors(method: str, augmented: bool) -> None:
    found = converted(views={"views": [VIEW], "method": method, "factorModel": {"factors": ["F"]}}).views
    assert found is not None
    assert found == Views(found.views, None, 0.05, False, FactorViews(FactorModel(("F",)), augmented))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"views": {"views": [VIEW], "factorModel": {}}}, "views.factor_model"),
        ({"views": {"views": [VIEW], "method": "METHOD_BAYESIAN_BLACK_LITTERMAN"}}, "views.factor_model"),
        ({"views": {"views": [VIEW], "method": "METHOD_AUGMENTED_BLACK_LITTERMAN"}}, "views.factor_model"),
        (
            {"views": {"views": [VIEW | {"confidence": 0.5}, VIEW], "method": "METHOD_IDZOREK"}},
            "views.views[1].confidence",
        ),
        ({"views": {"views": [{"terms": TERMS + TERMS}]}}, "views.views[0].terms[2].symbol"),
        ({"expectedReturns": {"implied": {"marketWeights": MARKET["marketWeights"] * 2}}}, "expected_returns.implied"),
        ({"views": {"views": [VIEW], "prior": {"marketWeights": MARKET["marketWeights"] * 2}}}, "views.prior.implied"),
    ],
)
def test_what_contradicts_itself(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        converted(**fields)
    assert raised.value.field.startswith(f"estimation.{named}")


def test_lambda_from_either_way_to_say_it() -> None:
    assert decay_from_proto(wire.ExponentialWeighting(half_life=1.0)) == pytest.approx(0.5)
    assert decay_from_proto(wire.ExponentialWeighting(half_life=2.0)) == pytest.approx(0.5**0.5)
    assert decay_from_proto(json_format.ParseDict({"lambda": 0.94}, wire.ExponentialWeighting())) == 0.94
