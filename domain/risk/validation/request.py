"""Validation of forecasts: the engine's own, or the caller's."""

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.records import dataclass
from domain.risk.filtered import DECAY
from domain.risk.validation.forecasts import ForecastMethod, Forecasts, rolling_forecasts
from domain.risk.validation.validate import ValueAtRiskValidation, validate

WINDOW = 250
SIMULATIONS = 10_000


@dataclass(frozen=True, slots=True)
class ValidationRequest:
    """Forecasts for the last returns of a series, and how p-values are simulated."""

    method: ForecastMethod = ForecastMethod.HISTORICAL
    window: int = WINDOW
    forecasts: Forecasts | None = None  # the caller's own
    seed: int = 0
    simulations: int = SIMULATIONS


@dataclass(frozen=True, slots=True)
class Validated:
    """The results, and the index of the first forecast in the returns."""

    first: int
    validation: ValueAtRiskValidation


def validated(
    returns: Vector,
    request: ValidationRequest,
    confidence_level: float,
    decay: float = DECAY,
    check_cancelled: CancellationCheck = never_cancelled,
) -> Validated:
    """Of T returns in the order of time. Raises InvalidInput with the path of the field."""
    try:
        forecasts = request.forecasts or rolling_forecasts(
            returns, request.window, confidence_level, request.method, decay, check_cancelled
        )
        first = len(returns) - len(forecasts.value_at_risk)
        if first < 0:
            raise InvalidInput(
                "forecasts.value_at_risk", f"must have at most one entry for each of the {len(returns)} returns"
            )
        found = validate(
            returns[first:], forecasts, confidence_level, request.seed, request.simulations, check_cancelled
        )
    except InvalidInput as error:
        raise error.with_path_prefix("validation") from None
    return Validated(first, found)
