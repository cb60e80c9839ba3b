"""What a request wants: objective, constraints, estimation, options."""

from collections.abc import Iterable, Mapping, Sequence

from absfinance.v1 import constraint_pb2, estimation_pb2, objective_pb2, optimization_pb2, weight_pb2
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.risk_measure_pb2 import RISK_MEASURE_CVAR, RISK_MEASURE_STANDARD_DEVIATION, RISK_MEASURE_VARIANCE
from absfinance.v1.risk_measure_pb2 import RiskMeasure as RiskMeasureProto

from domain.errors import InvalidInput, NotSupported
from domain.estimation.covariance import CovarianceEstimator, EwmaCovariance, SampleCovariance, SemiCovariance
from domain.estimation.expected_returns import (
    BayesStein,
    EwmaMean,
    ExpectedReturnsEstimator,
    Implied,
    JamesStein,
    SampleMean,
    ShrinkageTarget,
)
from domain.estimation.moments import Estimation, Views
from domain.estimation.shrinkage import (
    ConstantCorrelationShrinkage,
    IdentityShrinkage,
    OracleApproximatingShrinkage,
    SingleFactorShrinkage,
)
from domain.estimation.views import DEFAULT_TAU, View
from domain.estimation.weights import half_life_of
from domain.optimization import constraints, objectives
from domain.optimization.problem import EnginePreference, SolverOptions
from domain.optimization.specification import GroupReference, RiskBudgetBySymbol, Specification
from domain.risk.measures import RiskMeasure
from server.converters.market_input import missing_data_from_proto
from server.converters.paths import once_each, under

DEFAULT_CONFIDENCE = 0.95

_SHRINKAGES: Mapping[int, CovarianceEstimator] = {
    estimation_pb2.CovarianceShrinkage.TARGET_UNSPECIFIED: IdentityShrinkage(),
    estimation_pb2.CovarianceShrinkage.TARGET_SCALED_IDENTITY: IdentityShrinkage(),
    estimation_pb2.CovarianceShrinkage.TARGET_CONSTANT_CORRELATION: ConstantCorrelationShrinkage(),
    estimation_pb2.CovarianceShrinkage.TARGET_SINGLE_FACTOR: SingleFactorShrinkage(),
}

_MEASURES: Mapping[int, RiskMeasure] = {
    0: RiskMeasure.VARIANCE,
    RISK_MEASURE_VARIANCE: RiskMeasure.VARIANCE,
    RISK_MEASURE_STANDARD_DEVIATION: RiskMeasure.STANDARD_DEVIATION,
    RISK_MEASURE_CVAR: RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
}


def specification_from_proto(
    request: OptimizeRequest | optimization_pb2.OptimizeSpec, *, periods_per_year: float | None = None
) -> Specification:
    """Everything of an optimisation but its data. Raises InvalidInput, or NotSupported by name."""
    listed = {group.name: tuple(group.symbols) for group in request.groups}
    current: Sequence[weight_pb2.AssetWeight] = ()
    if isinstance(request, OptimizeRequest):
        current = request.current_weights
    if request.HasField("costs") and not current:
        raise InvalidInput("current_weights", "must be given with costs: a cost is that of trading away from them")
    return Specification(
        objective=objective_from_proto(request.objective),
        risk_measure=risk_measure_from_proto(request.risk_measure),
        confidence_level=request.confidence_level if request.HasField("confidence_level") else DEFAULT_CONFIDENCE,
        constraints=tuple(constraint_from_proto(i, c) for i, c in enumerate(request.constraints)),
        groups=listed,
        estimation=estimation_from_proto(request.estimation),
        missing_data=missing_data_from_proto(request.missing_data),
        current_weights=weights_from_proto("current_weights", current) if current else None,
        periods_per_year=periods_per_year,
        options=options_from_proto(request.solver),
    )


def weights_from_proto(path: str, weights: Iterable[weight_pb2.AssetWeight]) -> dict[str, float]:
    """Weights by symbol, each once."""
    weights = list(weights)
    once_each(path, [weight.symbol for weight in weights])
    return {weight.symbol: weight.weight for weight in weights}


def risk_measure_from_proto(value: RiskMeasureProto) -> RiskMeasure:
    """The measure. Raises NotSupported for one that no engine computes yet."""
    if value not in _MEASURES:
        raise NotSupported(f"{RiskMeasureProto.Name(value)} is not supported yet as a measure to optimise")
    return _MEASURES[value]


def objective_from_proto(objective: objective_pb2.Objective) -> objectives.Objective | RiskBudgetBySymbol:
    """The objective. Raises NotSupported for one that no engine pursues yet."""
    kind = objective.WhichOneof("kind") or ""
    with under(f"objective.{kind}"):
        match kind:
            case "min_risk":
                return objectives.MinRisk()
            case "max_return":
                return objectives.MaxReturn()
            case "max_utility":
                return objectives.MaxUtility(objective.max_utility.risk_aversion)
            case "max_ratio":
                return objectives.MaxRatio(objective.max_ratio.risk_free_rate_annual)
            case "max_diversification":
                return objectives.MaxDiversification()
            case "risk_budget":
                return _risk_budget(objective.risk_budget)
            case "equal_weight":
                return objectives.EqualWeight()
            case "inverse_volatility":
                return objectives.InverseVolatility()
    raise NotSupported(f"objective {kind} is not supported yet")


def _risk_budget(budget: objective_pb2.RiskBudget) -> objectives.Objective | RiskBudgetBySymbol:
    if not budget.budgets:
        return objectives.RiskBudget()
    once_each("budgets", [entry.symbol for entry in budget.budgets])
    return RiskBudgetBySymbol({entry.symbol: entry.budget for entry in budget.budgets})


def constraint_from_proto(index: int, constraint: constraint_pb2.Constraint) -> constraints.Constraint | GroupReference:
    """One constraint under its label. Raises NotSupported for a kind that no engine keeps yet."""
    label = constraint.label or f"constraints[{index}]"
    kind = constraint.WhichOneof("kind") or ""
    with under(f"constraints[{index}].{kind}"):
        match kind:
            case "weight_bounds":
                return _weight_bounds(label, constraint.weight_bounds)
            case "group_bounds":
                return _group_bounds(label, constraint.group_bounds)
            case "linear":
                return _linear(label, constraint.linear)
            case "leverage":
                return _leverage(label, constraint.leverage)
            case "turnover":
                two_way = constraint.turnover.kind == constraint_pb2.TURNOVER_KIND_TWO_WAY
                way = constraints.TurnoverKind.TWO_WAY if two_way else constraints.TurnoverKind.ONE_WAY
                return constraints.Turnover(label, constraint.turnover.max_turnover, way)
            case "return_floor":
                return constraints.ReturnFloor(label, constraint.return_floor.min_return_annual)
            case "factor_exposure":
                return _factor_exposure(label, constraint.factor_exposure)
    raise NotSupported(f"constraint {kind} (label {label}) is not supported yet")


def _given(message: object, name: str) -> float | None:
    """A field that may be absent."""
    value: float = getattr(message, name)
    return value if message.HasField(name) else None  # type: ignore[attr-defined]  # any generated message


def _weight_bounds(label: str, bounds: constraint_pb2.WeightBounds) -> constraints.WeightBounds:
    return constraints.WeightBounds(label, _given(bounds, "lower"), _given(bounds, "upper"), tuple(bounds.symbols))


def _group_bounds(label: str, bounds: constraint_pb2.GroupBounds) -> constraints.Constraint | GroupReference:
    lower, upper = _given(bounds, "lower"), _given(bounds, "upper")
    if bounds.symbols:
        once_each("symbols", bounds.symbols)
        return constraints.GroupBounds(label, tuple(bounds.symbols), lower, upper)
    if not bounds.group:
        raise InvalidInput("group", "must name a group, or symbols must list its members")
    return GroupReference(label, bounds.group, lower, upper)


def _linear(label: str, linear: constraint_pb2.LinearConstraint) -> constraints.Linear:
    once_each("terms", [term.symbol for term in linear.terms])
    terms = {term.symbol: term.coefficient for term in linear.terms}
    return constraints.Linear(label, terms, _given(linear, "lower"), _given(linear, "upper"))


def _factor_exposure(label: str, exposure: constraint_pb2.FactorExposure) -> constraints.Linear:
    """A factor's exposure is a weighted sum with the loadings as coefficients."""
    once_each("loadings", [loading.symbol for loading in exposure.loadings])
    terms = {loading.symbol: loading.loading for loading in exposure.loadings}
    return constraints.Linear(label, terms, _given(exposure, "lower"), _given(exposure, "upper"))


def _leverage(label: str, leverage: constraint_pb2.Leverage) -> constraints.Leverage:
    return constraints.Leverage(
        label, _given(leverage, "max_short"), _given(leverage, "max_gross"), _given(leverage, "budget")
    )


def estimation_from_proto(estimation: estimation_pb2.Estimation) -> Estimation:
    """The estimators and views. Raises NotSupported for what is not there yet."""
    with under("estimation"):
        return Estimation(
            _expected_returns(estimation.expected_returns),
            _covariance(estimation.covariance),
            _views(estimation.views) if estimation.HasField("views") else None,
        )


def _expected_returns(estimator: estimation_pb2.ExpectedReturnsEstimator) -> ExpectedReturnsEstimator:
    method = estimator.WhichOneof("method") or "sample"
    with under("expected_returns"):
        match method:
            case "sample":
                return SampleMean()
            case "ewma":
                return EwmaMean(_decay(estimator.ewma))
            case "james_stein":
                return JamesStein(_target(estimator.james_stein, ShrinkageTarget.GRAND_MEAN))
            case "bayes_stein":
                return BayesStein(_target(estimator.bayes_stein, ShrinkageTarget.GRAND_MEAN))
            case "implied":
                return _implied(estimator.implied)
    raise NotSupported(f"estimation.expected_returns.{method} is not supported yet")


def _covariance(estimator: estimation_pb2.CovarianceEstimator) -> CovarianceEstimator:
    method = estimator.WhichOneof("method") or "sample"
    match method:
        case "sample":
            return SampleCovariance()
        case "ewma":
            with under("covariance"):
                return EwmaCovariance(_decay(estimator.ewma))
        case "semi":
            return SemiCovariance()
        case "oas":
            return OracleApproximatingShrinkage()
        case "ledoit_wolf":
            target = estimator.ledoit_wolf.target
            if target in _SHRINKAGES:
                return _SHRINKAGES[target]
            method = "ledoit_wolf with TARGET_NONLINEAR"
    raise NotSupported(f"estimation.covariance.{method} is not supported yet")


def _target(shrinkage: estimation_pb2.MeanShrinkage, usual: ShrinkageTarget) -> ShrinkageTarget:
    if shrinkage.target == estimation_pb2.MeanShrinkage.TARGET_UNSPECIFIED:
        return usual
    return ShrinkageTarget(estimation_pb2.MeanShrinkage.Target.Name(shrinkage.target).removeprefix("TARGET_"))


def _implied(implied: estimation_pb2.ImpliedReturns) -> Implied:
    return Implied(weights_from_proto("market_weights", implied.market_weights), implied.risk_aversion)


def _views(views: estimation_pb2.Views) -> Views:
    known = (estimation_pb2.Views.METHOD_BLACK_LITTERMAN, estimation_pb2.Views.METHOD_IDZOREK)
    if views.method not in (estimation_pb2.Views.METHOD_UNSPECIFIED, *known):
        raise NotSupported(f"estimation.views {estimation_pb2.Views.Method.Name(views.method)} is not supported yet")
    with under("views"):
        found = tuple(_view(i, view, views.method) for i, view in enumerate(views.views))
        with under("prior"):
            prior = _implied(views.prior) if views.HasField("prior") else None
        return Views(found, prior, views.tau if views.HasField("tau") else DEFAULT_TAU)


def _view(i: int, view: estimation_pb2.View, method: int) -> View:
    with under(f"views[{i}]"):
        if method == estimation_pb2.Views.METHOD_IDZOREK and not view.HasField("confidence"):
            raise InvalidInput("confidence", "must be given: METHOD_IDZOREK blends by confidence")
        return View(
            weights_from_proto("terms", view.terms),
            view.expected_return_annual,
            _given(view, "confidence"),
            _given(view, "variance_annual"),
        )


def _decay(weighting: estimation_pb2.ExponentialWeighting) -> float:
    """Half-life in periods, from either way to say it."""
    if weighting.WhichOneof("decay") == "lambda":
        return half_life_of(getattr(weighting, "lambda"))
    return weighting.half_life


def options_from_proto(options: optimization_pb2.SolverOptions) -> SolverOptions:
    """Solver options with their defaults."""
    defaults = SolverOptions()
    engine = {
        optimization_pb2.ENGINE_FAST: EnginePreference.FAST,
        optimization_pb2.ENGINE_RISKFOLIO: EnginePreference.RISKFOLIO,
    }.get(options.engine, EnginePreference.AUTO)
    limit = options.time_limit.ToTimedelta().total_seconds() if options.HasField("time_limit") else None
    return SolverOptions(
        time_limit_seconds=limit if limit is not None else defaults.time_limit_seconds,
        tolerance=options.tolerance if options.HasField("tolerance") else defaults.tolerance,
        engine=engine,
    )
