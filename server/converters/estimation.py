"""How moments are estimated, and views on them."""

from collections.abc import Mapping

from absfinance.v1 import estimation_pb2

from domain.errors import InvalidInput, NotSupported
from domain.estimation.codependence import GERBER_THRESHOLD
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
from domain.estimation.factor_model import (
    DEFAULT_EXPLAINED_VARIANCE,
    DEFAULT_THRESHOLD,
    FactorMethod,
    FactorModel,
)
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
from domain.estimation.views import DEFAULT_TAU, View
from domain.estimation.weights import half_life_of
from server.converters.paths import error_path
from server.converters.weights import coefficients_from_proto, optional_field, weights_from_proto

_SHRINKAGES: Mapping[int, CovarianceEstimator] = {
    estimation_pb2.CovarianceShrinkage.TARGET_UNSPECIFIED: IdentityShrinkage(),
    estimation_pb2.CovarianceShrinkage.TARGET_SCALED_IDENTITY: IdentityShrinkage(),
    estimation_pb2.CovarianceShrinkage.TARGET_CONSTANT_CORRELATION: ConstantCorrelationShrinkage(),
    estimation_pb2.CovarianceShrinkage.TARGET_SINGLE_FACTOR: SingleFactorShrinkage(),
    estimation_pb2.CovarianceShrinkage.TARGET_NONLINEAR: NonlinearShrinkage(),
    estimation_pb2.CovarianceShrinkage.TARGET_NO_CORRELATION: CorrelationShrinkage(),
}


def estimation_from_proto(estimation: estimation_pb2.Estimation) -> Estimation:
    """The estimators and views. Raises NotSupported for what is not there yet."""
    with error_path("estimation"):
        return Estimation(
            _expected_returns(estimation.expected_returns),
            _covariance(estimation.covariance),
            _views(estimation.views) if estimation.HasField("views") else None,
        )


def _expected_returns(estimator: estimation_pb2.ExpectedReturnsEstimator) -> ExpectedReturnsEstimator | FactorModel:
    method = estimator.WhichOneof("method") or "sample"
    with error_path("expected_returns"):
        match method:
            case "sample":
                return SampleMean()
            case "ewma":
                return EwmaMean(_decay(estimator.ewma))
            case "james_stein":
                return JamesStein(_target(estimator.james_stein, ShrinkageTarget.GRAND_MEAN))
            case "bayes_stein":
                return BayesStein(_target(estimator.bayes_stein, ShrinkageTarget.GRAND_MEAN))
            case "bop":
                return BodnarOkhrinParolya(_target(estimator.bop, ShrinkageTarget.GRAND_MEAN))
            case "implied":
                return _implied(estimator.implied)
            case "factor_model":
                return _factor_model(estimator.factor_model)
    raise NotSupported(f"estimation.expected_returns.{method} is not supported yet")


def _covariance(estimator: estimation_pb2.CovarianceEstimator) -> CovarianceEstimator | FactorModel:
    method = estimator.WhichOneof("method") or "sample"
    match method:
        case "sample":
            return SampleCovariance()
        case "ewma":
            with error_path("covariance"):
                return EwmaCovariance(_decay(estimator.ewma))
        case "semi":
            return SemiCovariance()
        case "oas":
            return OracleApproximatingShrinkage()
        case "ledoit_wolf":
            return _SHRINKAGES[estimator.ledoit_wolf.target]
        case "graphical_lasso":
            return GraphicalLasso(optional_field(estimator.graphical_lasso, "penalty"))
        case "j_logo":
            return LocalGlobal()
        case "denoised":
            names = estimation_pb2.Denoising.Method
            noise = names.Name(estimator.denoised.method or names.METHOD_FIXED).removeprefix("METHOD_")
            return Denoised(DenoisingMethod(noise), estimator.denoised.detoned_components)
        case "gerber":
            gerber = estimator.gerber
            return GerberCovariance(
                gerber.variant, gerber.threshold if gerber.HasField("threshold") else GERBER_THRESHOLD
            )
        case "factor_model":
            with error_path("covariance"):
                return _factor_model(estimator.factor_model)
    raise NotSupported(f"estimation.covariance.{method} is not supported yet")


def _target(shrinkage: estimation_pb2.MeanShrinkage, usual: ShrinkageTarget) -> ShrinkageTarget:
    if shrinkage.target == estimation_pb2.MeanShrinkage.TARGET_UNSPECIFIED:
        return usual
    return ShrinkageTarget(estimation_pb2.MeanShrinkage.Target.Name(shrinkage.target).removeprefix("TARGET_"))


def _implied(implied: estimation_pb2.ImpliedReturns) -> Implied:
    return Implied(weights_from_proto("implied.market_weights", implied.market_weights), implied.risk_aversion)


def _factor_model(model: estimation_pb2.FactorModel) -> FactorModel:
    names = estimation_pb2.FactorModel
    method = names.Method.Name(model.method or names.METHOD_STEPWISE)
    direction = names.Direction.Name(model.direction or names.DIRECTION_FORWARD)
    criterion = names.Criterion.Name(model.criterion or names.CRITERION_P_VALUE)
    with error_path("factor_model"):
        return FactorModel(
            tuple(model.factors),
            FactorMethod(method.removeprefix("METHOD_")),
            Direction(direction.removeprefix("DIRECTION_")),
            Criterion(criterion.removeprefix("CRITERION_")),
            model.threshold if model.HasField("threshold") else DEFAULT_THRESHOLD,
            model.explained_variance if model.HasField("explained_variance") else DEFAULT_EXPLAINED_VARIANCE,
        )


def _views(views: estimation_pb2.Views) -> Views:
    methods = estimation_pb2.Views
    with error_path("views"):
        found = tuple(_view(i, view, views.method) for i, view in enumerate(views.views))
        with error_path("prior"):
            prior = _implied(views.prior) if views.HasField("prior") else None
        return Views(
            found,
            prior,
            views.tau if views.HasField("tau") else DEFAULT_TAU,
            views.method == methods.METHOD_ENTROPY_POOLING,
            _factor_views(views),
        )


def _factor_views(views: estimation_pb2.Views) -> FactorViews | None:
    methods = estimation_pb2.Views
    augmented = views.method == methods.METHOD_AUGMENTED_BLACK_LITTERMAN
    wanted = augmented or views.method == methods.METHOD_BAYESIAN_BLACK_LITTERMAN
    if wanted != views.HasField("factor_model"):
        rule = "be given with" if wanted else "be left out except for"
        raise InvalidInput("factor_model", f"must {rule} METHOD_BAYESIAN_ and METHOD_AUGMENTED_BLACK_LITTERMAN")
    return FactorViews(_factor_model(views.factor_model), augmented) if wanted else None


def _view(i: int, view: estimation_pb2.View, method: int) -> View:
    with error_path(f"views[{i}]"):
        if method == estimation_pb2.Views.METHOD_IDZOREK and not view.HasField("confidence"):
            raise InvalidInput("confidence", "must be given: METHOD_IDZOREK blends by confidence")
        return View(
            coefficients_from_proto("terms", view.terms),
            view.expected_return_annual,
            optional_field(view, "confidence"),
            optional_field(view, "variance_annual"),
        )


def decay_from_proto(weighting: estimation_pb2.ExponentialWeighting) -> float:
    """RiskMetrics' lambda, from either way to say it."""
    if weighting.WhichOneof("decay") == "lambda":
        return float(getattr(weighting, "lambda"))
    return float(2.0 ** (-1.0 / weighting.half_life))


def _decay(weighting: estimation_pb2.ExponentialWeighting) -> float:
    """Half-life in periods, from either way to say it."""
    if weighting.WhichOneof("decay") == "lambda":
        return half_life_of(getattr(weighting, "lambda"))
    return weighting.half_life
