from absfinance.v1 import weight_pb2 as _weight_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Estimation(_message.Message):
    __slots__ = ("expected_returns", "covariance", "views")
    EXPECTED_RETURNS_FIELD_NUMBER: _ClassVar[int]
    COVARIANCE_FIELD_NUMBER: _ClassVar[int]
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    expected_returns: ExpectedReturnsEstimator
    covariance: CovarianceEstimator
    views: Views
    def __init__(self, expected_returns: _Optional[_Union[ExpectedReturnsEstimator, _Mapping]] = ..., covariance: _Optional[_Union[CovarianceEstimator, _Mapping]] = ..., views: _Optional[_Union[Views, _Mapping]] = ...) -> None: ...

class ExponentialWeighting(_message.Message):
    __slots__ = ("half_life",)
    HALF_LIFE_FIELD_NUMBER: _ClassVar[int]
    LAMBDA_FIELD_NUMBER: _ClassVar[int]
    half_life: float
    def __init__(self, half_life: _Optional[float] = ..., **kwargs) -> None: ...

class SampleEstimator(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MeanShrinkage(_message.Message):
    __slots__ = ("target",)
    class Target(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TARGET_UNSPECIFIED: _ClassVar[MeanShrinkage.Target]
        TARGET_GRAND_MEAN: _ClassVar[MeanShrinkage.Target]
        TARGET_VOLATILITY_WEIGHTED: _ClassVar[MeanShrinkage.Target]
        TARGET_MINIMUM_VARIANCE: _ClassVar[MeanShrinkage.Target]
    TARGET_UNSPECIFIED: MeanShrinkage.Target
    TARGET_GRAND_MEAN: MeanShrinkage.Target
    TARGET_VOLATILITY_WEIGHTED: MeanShrinkage.Target
    TARGET_MINIMUM_VARIANCE: MeanShrinkage.Target
    TARGET_FIELD_NUMBER: _ClassVar[int]
    target: MeanShrinkage.Target
    def __init__(self, target: _Optional[_Union[MeanShrinkage.Target, str]] = ...) -> None: ...

class ImpliedReturns(_message.Message):
    __slots__ = ("market_weights", "risk_aversion")
    MARKET_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    RISK_AVERSION_FIELD_NUMBER: _ClassVar[int]
    market_weights: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    risk_aversion: float
    def __init__(self, market_weights: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., risk_aversion: _Optional[float] = ...) -> None: ...

class FactorModel(_message.Message):
    __slots__ = ("method", "factors", "direction", "criterion", "threshold", "explained_variance")
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        METHOD_UNSPECIFIED: _ClassVar[FactorModel.Method]
        METHOD_STEPWISE: _ClassVar[FactorModel.Method]
        METHOD_PRINCIPAL_COMPONENTS: _ClassVar[FactorModel.Method]
        METHOD_LEAST_SQUARES: _ClassVar[FactorModel.Method]
    METHOD_UNSPECIFIED: FactorModel.Method
    METHOD_STEPWISE: FactorModel.Method
    METHOD_PRINCIPAL_COMPONENTS: FactorModel.Method
    METHOD_LEAST_SQUARES: FactorModel.Method
    class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DIRECTION_UNSPECIFIED: _ClassVar[FactorModel.Direction]
        DIRECTION_FORWARD: _ClassVar[FactorModel.Direction]
        DIRECTION_BACKWARD: _ClassVar[FactorModel.Direction]
    DIRECTION_UNSPECIFIED: FactorModel.Direction
    DIRECTION_FORWARD: FactorModel.Direction
    DIRECTION_BACKWARD: FactorModel.Direction
    class Criterion(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CRITERION_UNSPECIFIED: _ClassVar[FactorModel.Criterion]
        CRITERION_P_VALUE: _ClassVar[FactorModel.Criterion]
        CRITERION_AIC: _ClassVar[FactorModel.Criterion]
        CRITERION_BIC: _ClassVar[FactorModel.Criterion]
        CRITERION_ADJUSTED_R_SQUARED: _ClassVar[FactorModel.Criterion]
    CRITERION_UNSPECIFIED: FactorModel.Criterion
    CRITERION_P_VALUE: FactorModel.Criterion
    CRITERION_AIC: FactorModel.Criterion
    CRITERION_BIC: FactorModel.Criterion
    CRITERION_ADJUSTED_R_SQUARED: FactorModel.Criterion
    METHOD_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    CRITERION_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_VARIANCE_FIELD_NUMBER: _ClassVar[int]
    method: FactorModel.Method
    factors: _containers.RepeatedScalarFieldContainer[str]
    direction: FactorModel.Direction
    criterion: FactorModel.Criterion
    threshold: float
    explained_variance: float
    def __init__(self, method: _Optional[_Union[FactorModel.Method, str]] = ..., factors: _Optional[_Iterable[str]] = ..., direction: _Optional[_Union[FactorModel.Direction, str]] = ..., criterion: _Optional[_Union[FactorModel.Criterion, str]] = ..., threshold: _Optional[float] = ..., explained_variance: _Optional[float] = ...) -> None: ...

class ExpectedReturnsEstimator(_message.Message):
    __slots__ = ("sample", "ewma", "james_stein", "bayes_stein", "bop", "implied", "factor_model")
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    EWMA_FIELD_NUMBER: _ClassVar[int]
    JAMES_STEIN_FIELD_NUMBER: _ClassVar[int]
    BAYES_STEIN_FIELD_NUMBER: _ClassVar[int]
    BOP_FIELD_NUMBER: _ClassVar[int]
    IMPLIED_FIELD_NUMBER: _ClassVar[int]
    FACTOR_MODEL_FIELD_NUMBER: _ClassVar[int]
    sample: SampleEstimator
    ewma: ExponentialWeighting
    james_stein: MeanShrinkage
    bayes_stein: MeanShrinkage
    bop: MeanShrinkage
    implied: ImpliedReturns
    factor_model: FactorModel
    def __init__(self, sample: _Optional[_Union[SampleEstimator, _Mapping]] = ..., ewma: _Optional[_Union[ExponentialWeighting, _Mapping]] = ..., james_stein: _Optional[_Union[MeanShrinkage, _Mapping]] = ..., bayes_stein: _Optional[_Union[MeanShrinkage, _Mapping]] = ..., bop: _Optional[_Union[MeanShrinkage, _Mapping]] = ..., implied: _Optional[_Union[ImpliedReturns, _Mapping]] = ..., factor_model: _Optional[_Union[FactorModel, _Mapping]] = ...) -> None: ...

class CovarianceShrinkage(_message.Message):
    __slots__ = ("target",)
    class Target(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TARGET_UNSPECIFIED: _ClassVar[CovarianceShrinkage.Target]
        TARGET_SCALED_IDENTITY: _ClassVar[CovarianceShrinkage.Target]
        TARGET_CONSTANT_CORRELATION: _ClassVar[CovarianceShrinkage.Target]
        TARGET_SINGLE_FACTOR: _ClassVar[CovarianceShrinkage.Target]
        TARGET_NONLINEAR: _ClassVar[CovarianceShrinkage.Target]
        TARGET_NO_CORRELATION: _ClassVar[CovarianceShrinkage.Target]
    TARGET_UNSPECIFIED: CovarianceShrinkage.Target
    TARGET_SCALED_IDENTITY: CovarianceShrinkage.Target
    TARGET_CONSTANT_CORRELATION: CovarianceShrinkage.Target
    TARGET_SINGLE_FACTOR: CovarianceShrinkage.Target
    TARGET_NONLINEAR: CovarianceShrinkage.Target
    TARGET_NO_CORRELATION: CovarianceShrinkage.Target
    TARGET_FIELD_NUMBER: _ClassVar[int]
    target: CovarianceShrinkage.Target
    def __init__(self, target: _Optional[_Union[CovarianceShrinkage.Target, str]] = ...) -> None: ...

class GraphicalLasso(_message.Message):
    __slots__ = ("penalty",)
    PENALTY_FIELD_NUMBER: _ClassVar[int]
    penalty: float
    def __init__(self, penalty: _Optional[float] = ...) -> None: ...

class Denoising(_message.Message):
    __slots__ = ("method", "detoned_components")
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        METHOD_UNSPECIFIED: _ClassVar[Denoising.Method]
        METHOD_FIXED: _ClassVar[Denoising.Method]
        METHOD_SPECTRAL: _ClassVar[Denoising.Method]
        METHOD_SHRINK: _ClassVar[Denoising.Method]
    METHOD_UNSPECIFIED: Denoising.Method
    METHOD_FIXED: Denoising.Method
    METHOD_SPECTRAL: Denoising.Method
    METHOD_SHRINK: Denoising.Method
    METHOD_FIELD_NUMBER: _ClassVar[int]
    DETONED_COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    method: Denoising.Method
    detoned_components: int
    def __init__(self, method: _Optional[_Union[Denoising.Method, str]] = ..., detoned_components: _Optional[int] = ...) -> None: ...

class Gerber(_message.Message):
    __slots__ = ("variant", "threshold")
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    variant: int
    threshold: float
    def __init__(self, variant: _Optional[int] = ..., threshold: _Optional[float] = ...) -> None: ...

class PlainEstimator(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CovarianceEstimator(_message.Message):
    __slots__ = ("sample", "ewma", "semi", "ledoit_wolf", "oas", "graphical_lasso", "j_logo", "denoised", "gerber", "factor_model")
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    EWMA_FIELD_NUMBER: _ClassVar[int]
    SEMI_FIELD_NUMBER: _ClassVar[int]
    LEDOIT_WOLF_FIELD_NUMBER: _ClassVar[int]
    OAS_FIELD_NUMBER: _ClassVar[int]
    GRAPHICAL_LASSO_FIELD_NUMBER: _ClassVar[int]
    J_LOGO_FIELD_NUMBER: _ClassVar[int]
    DENOISED_FIELD_NUMBER: _ClassVar[int]
    GERBER_FIELD_NUMBER: _ClassVar[int]
    FACTOR_MODEL_FIELD_NUMBER: _ClassVar[int]
    sample: SampleEstimator
    ewma: ExponentialWeighting
    semi: PlainEstimator
    ledoit_wolf: CovarianceShrinkage
    oas: PlainEstimator
    graphical_lasso: GraphicalLasso
    j_logo: PlainEstimator
    denoised: Denoising
    gerber: Gerber
    factor_model: FactorModel
    def __init__(self, sample: _Optional[_Union[SampleEstimator, _Mapping]] = ..., ewma: _Optional[_Union[ExponentialWeighting, _Mapping]] = ..., semi: _Optional[_Union[PlainEstimator, _Mapping]] = ..., ledoit_wolf: _Optional[_Union[CovarianceShrinkage, _Mapping]] = ..., oas: _Optional[_Union[PlainEstimator, _Mapping]] = ..., graphical_lasso: _Optional[_Union[GraphicalLasso, _Mapping]] = ..., j_logo: _Optional[_Union[PlainEstimator, _Mapping]] = ..., denoised: _Optional[_Union[Denoising, _Mapping]] = ..., gerber: _Optional[_Union[Gerber, _Mapping]] = ..., factor_model: _Optional[_Union[FactorModel, _Mapping]] = ...) -> None: ...

class Views(_message.Message):
    __slots__ = ("method", "views", "prior", "tau", "factor_model")
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        METHOD_UNSPECIFIED: _ClassVar[Views.Method]
        METHOD_BLACK_LITTERMAN: _ClassVar[Views.Method]
        METHOD_IDZOREK: _ClassVar[Views.Method]
        METHOD_ENTROPY_POOLING: _ClassVar[Views.Method]
        METHOD_BAYESIAN_BLACK_LITTERMAN: _ClassVar[Views.Method]
        METHOD_AUGMENTED_BLACK_LITTERMAN: _ClassVar[Views.Method]
    METHOD_UNSPECIFIED: Views.Method
    METHOD_BLACK_LITTERMAN: Views.Method
    METHOD_IDZOREK: Views.Method
    METHOD_ENTROPY_POOLING: Views.Method
    METHOD_BAYESIAN_BLACK_LITTERMAN: Views.Method
    METHOD_AUGMENTED_BLACK_LITTERMAN: Views.Method
    METHOD_FIELD_NUMBER: _ClassVar[int]
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    PRIOR_FIELD_NUMBER: _ClassVar[int]
    TAU_FIELD_NUMBER: _ClassVar[int]
    FACTOR_MODEL_FIELD_NUMBER: _ClassVar[int]
    method: Views.Method
    views: _containers.RepeatedCompositeFieldContainer[View]
    prior: ImpliedReturns
    tau: float
    factor_model: FactorModel
    def __init__(self, method: _Optional[_Union[Views.Method, str]] = ..., views: _Optional[_Iterable[_Union[View, _Mapping]]] = ..., prior: _Optional[_Union[ImpliedReturns, _Mapping]] = ..., tau: _Optional[float] = ..., factor_model: _Optional[_Union[FactorModel, _Mapping]] = ...) -> None: ...

class View(_message.Message):
    __slots__ = ("terms", "expected_return_annual", "confidence", "variance_annual")
    TERMS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_RETURN_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    VARIANCE_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    terms: _containers.RepeatedCompositeFieldContainer[_weight_pb2.AssetWeight]
    expected_return_annual: float
    confidence: float
    variance_annual: float
    def __init__(self, terms: _Optional[_Iterable[_Union[_weight_pb2.AssetWeight, _Mapping]]] = ..., expected_return_annual: _Optional[float] = ..., confidence: _Optional[float] = ..., variance_annual: _Optional[float] = ...) -> None: ...
