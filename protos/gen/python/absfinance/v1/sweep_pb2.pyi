import datetime

from absfinance.v1 import backtest_pb2 as _backtest_pb2
from absfinance.v1 import statistical_validation_pb2 as _statistical_validation_pb2
from absfinance.v1 import warning_pb2 as _warning_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SweepSelection(_message.Message):
    __slots__ = ("score", "purge_periods", "embargo_periods", "cross_validation")
    class Score(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SCORE_UNSPECIFIED: _ClassVar[SweepSelection.Score]
        SCORE_SHARPE: _ClassVar[SweepSelection.Score]
        SCORE_SORTINO: _ClassVar[SweepSelection.Score]
        SCORE_CALMAR: _ClassVar[SweepSelection.Score]
        SCORE_CAGR: _ClassVar[SweepSelection.Score]
        SCORE_INFORMATION_RATIO: _ClassVar[SweepSelection.Score]
        SCORE_TOTAL_RETURN: _ClassVar[SweepSelection.Score]
        SCORE_VOLATILITY_ANNUAL: _ClassVar[SweepSelection.Score]
        SCORE_MAX_DRAWDOWN: _ClassVar[SweepSelection.Score]
        SCORE_VALUE_AT_RISK: _ClassVar[SweepSelection.Score]
        SCORE_CONDITIONAL_VALUE_AT_RISK: _ClassVar[SweepSelection.Score]
        SCORE_TURNOVER_ANNUAL: _ClassVar[SweepSelection.Score]
        SCORE_COST_TOTAL: _ClassVar[SweepSelection.Score]
        SCORE_TRACKING_ERROR_ANNUAL: _ClassVar[SweepSelection.Score]
    SCORE_UNSPECIFIED: SweepSelection.Score
    SCORE_SHARPE: SweepSelection.Score
    SCORE_SORTINO: SweepSelection.Score
    SCORE_CALMAR: SweepSelection.Score
    SCORE_CAGR: SweepSelection.Score
    SCORE_INFORMATION_RATIO: SweepSelection.Score
    SCORE_TOTAL_RETURN: SweepSelection.Score
    SCORE_VOLATILITY_ANNUAL: SweepSelection.Score
    SCORE_MAX_DRAWDOWN: SweepSelection.Score
    SCORE_VALUE_AT_RISK: SweepSelection.Score
    SCORE_CONDITIONAL_VALUE_AT_RISK: SweepSelection.Score
    SCORE_TURNOVER_ANNUAL: SweepSelection.Score
    SCORE_COST_TOTAL: SweepSelection.Score
    SCORE_TRACKING_ERROR_ANNUAL: SweepSelection.Score
    class CrossValidation(_message.Message):
        __slots__ = ("groups", "test_groups")
        GROUPS_FIELD_NUMBER: _ClassVar[int]
        TEST_GROUPS_FIELD_NUMBER: _ClassVar[int]
        groups: int
        test_groups: int
        def __init__(self, groups: _Optional[int] = ..., test_groups: _Optional[int] = ...) -> None: ...
    SCORE_FIELD_NUMBER: _ClassVar[int]
    PURGE_PERIODS_FIELD_NUMBER: _ClassVar[int]
    EMBARGO_PERIODS_FIELD_NUMBER: _ClassVar[int]
    CROSS_VALIDATION_FIELD_NUMBER: _ClassVar[int]
    score: SweepSelection.Score
    purge_periods: int
    embargo_periods: int
    cross_validation: SweepSelection.CrossValidation
    def __init__(self, score: _Optional[_Union[SweepSelection.Score, str]] = ..., purge_periods: _Optional[int] = ..., embargo_periods: _Optional[int] = ..., cross_validation: _Optional[_Union[SweepSelection.CrossValidation, _Mapping]] = ...) -> None: ...

class SweepTrial(_message.Message):
    __slots__ = ("index", "settings", "state", "score", "metrics", "error", "label")
    class Setting(_message.Message):
        __slots__ = ("path", "number", "text", "strategy")
        PATH_FIELD_NUMBER: _ClassVar[int]
        NUMBER_FIELD_NUMBER: _ClassVar[int]
        TEXT_FIELD_NUMBER: _ClassVar[int]
        STRATEGY_FIELD_NUMBER: _ClassVar[int]
        path: str
        number: float
        text: str
        strategy: str
        def __init__(self, path: _Optional[str] = ..., number: _Optional[float] = ..., text: _Optional[str] = ..., strategy: _Optional[str] = ...) -> None: ...
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    index: int
    settings: _containers.RepeatedCompositeFieldContainer[SweepTrial.Setting]
    state: _backtest_pb2.BacktestState
    score: float
    metrics: _backtest_pb2.PerformanceMetrics
    error: _status_pb2.Status
    label: str
    def __init__(self, index: _Optional[int] = ..., settings: _Optional[_Iterable[_Union[SweepTrial.Setting, _Mapping]]] = ..., state: _Optional[_Union[_backtest_pb2.BacktestState, str]] = ..., score: _Optional[float] = ..., metrics: _Optional[_Union[_backtest_pb2.PerformanceMetrics, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., label: _Optional[str] = ...) -> None: ...

class SweepCrossValidation(_message.Message):
    __slots__ = ("split_count", "path_count", "scored_split_count", "path_scores", "path_mean", "path_standard_deviation", "path_least", "path_greatest", "in_sample_mean", "out_of_sample_mean", "degradation_slope", "probability_of_loss", "chosen", "chosen_count", "observations", "least_training_periods", "undefined")
    class Choice(_message.Message):
        __slots__ = ("index", "label", "count")
        INDEX_FIELD_NUMBER: _ClassVar[int]
        LABEL_FIELD_NUMBER: _ClassVar[int]
        COUNT_FIELD_NUMBER: _ClassVar[int]
        index: int
        label: str
        count: int
        def __init__(self, index: _Optional[int] = ..., label: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...
    class UndefinedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SPLIT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PATH_COUNT_FIELD_NUMBER: _ClassVar[int]
    SCORED_SPLIT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PATH_SCORES_FIELD_NUMBER: _ClassVar[int]
    PATH_MEAN_FIELD_NUMBER: _ClassVar[int]
    PATH_STANDARD_DEVIATION_FIELD_NUMBER: _ClassVar[int]
    PATH_LEAST_FIELD_NUMBER: _ClassVar[int]
    PATH_GREATEST_FIELD_NUMBER: _ClassVar[int]
    IN_SAMPLE_MEAN_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_SAMPLE_MEAN_FIELD_NUMBER: _ClassVar[int]
    DEGRADATION_SLOPE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_OF_LOSS_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    LEAST_TRAINING_PERIODS_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    split_count: int
    path_count: int
    scored_split_count: int
    path_scores: _containers.RepeatedScalarFieldContainer[float]
    path_mean: float
    path_standard_deviation: float
    path_least: float
    path_greatest: float
    in_sample_mean: float
    out_of_sample_mean: float
    degradation_slope: float
    probability_of_loss: float
    chosen: _containers.RepeatedCompositeFieldContainer[SweepCrossValidation.Choice]
    chosen_count: int
    observations: int
    least_training_periods: int
    undefined: _containers.ScalarMap[str, str]
    def __init__(self, split_count: _Optional[int] = ..., path_count: _Optional[int] = ..., scored_split_count: _Optional[int] = ..., path_scores: _Optional[_Iterable[float]] = ..., path_mean: _Optional[float] = ..., path_standard_deviation: _Optional[float] = ..., path_least: _Optional[float] = ..., path_greatest: _Optional[float] = ..., in_sample_mean: _Optional[float] = ..., out_of_sample_mean: _Optional[float] = ..., degradation_slope: _Optional[float] = ..., probability_of_loss: _Optional[float] = ..., chosen: _Optional[_Iterable[_Union[SweepCrossValidation.Choice, _Mapping]]] = ..., chosen_count: _Optional[int] = ..., observations: _Optional[int] = ..., least_training_periods: _Optional[int] = ..., undefined: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Sweep(_message.Message):
    __slots__ = ("name", "state", "trial_count", "failed_count", "best", "fraction", "error", "spa", "step_m", "deflated_sharpe", "probability_of_overfitting", "effective_trial_count", "undefined", "request_id", "label", "create_time", "finish_time", "finished_count", "tied", "deflated_sharpe_effective", "compared_count", "observations", "warnings", "cross_validation", "tried_count", "deflated_sharpe_all_sweeps", "deflated_sharpe_all_sweeps_effective")
    class UndefinedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TRIAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_COUNT_FIELD_NUMBER: _ClassVar[int]
    BEST_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SPA_FIELD_NUMBER: _ClassVar[int]
    STEP_M_FIELD_NUMBER: _ClassVar[int]
    DEFLATED_SHARPE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_OF_OVERFITTING_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TRIAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    FINISHED_COUNT_FIELD_NUMBER: _ClassVar[int]
    TIED_FIELD_NUMBER: _ClassVar[int]
    DEFLATED_SHARPE_EFFECTIVE_FIELD_NUMBER: _ClassVar[int]
    COMPARED_COUNT_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    CROSS_VALIDATION_FIELD_NUMBER: _ClassVar[int]
    TRIED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DEFLATED_SHARPE_ALL_SWEEPS_FIELD_NUMBER: _ClassVar[int]
    DEFLATED_SHARPE_ALL_SWEEPS_EFFECTIVE_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: _backtest_pb2.BacktestState
    trial_count: int
    failed_count: int
    best: SweepTrial
    fraction: float
    error: _status_pb2.Status
    spa: _statistical_validation_pb2.SuperiorPredictiveAbility
    step_m: _containers.RepeatedScalarFieldContainer[str]
    deflated_sharpe: float
    probability_of_overfitting: float
    effective_trial_count: float
    undefined: _containers.ScalarMap[str, str]
    request_id: str
    label: str
    create_time: _timestamp_pb2.Timestamp
    finish_time: _timestamp_pb2.Timestamp
    finished_count: int
    tied: _containers.RepeatedScalarFieldContainer[int]
    deflated_sharpe_effective: float
    compared_count: int
    observations: int
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    cross_validation: SweepCrossValidation
    tried_count: int
    deflated_sharpe_all_sweeps: float
    deflated_sharpe_all_sweeps_effective: float
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[_backtest_pb2.BacktestState, str]] = ..., trial_count: _Optional[int] = ..., failed_count: _Optional[int] = ..., best: _Optional[_Union[SweepTrial, _Mapping]] = ..., fraction: _Optional[float] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., spa: _Optional[_Union[_statistical_validation_pb2.SuperiorPredictiveAbility, _Mapping]] = ..., step_m: _Optional[_Iterable[str]] = ..., deflated_sharpe: _Optional[float] = ..., probability_of_overfitting: _Optional[float] = ..., effective_trial_count: _Optional[float] = ..., undefined: _Optional[_Mapping[str, str]] = ..., request_id: _Optional[str] = ..., label: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finished_count: _Optional[int] = ..., tied: _Optional[_Iterable[int]] = ..., deflated_sharpe_effective: _Optional[float] = ..., compared_count: _Optional[int] = ..., observations: _Optional[int] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ..., cross_validation: _Optional[_Union[SweepCrossValidation, _Mapping]] = ..., tried_count: _Optional[int] = ..., deflated_sharpe_all_sweeps: _Optional[float] = ..., deflated_sharpe_all_sweeps_effective: _Optional[float] = ...) -> None: ...
