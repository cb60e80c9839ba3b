"""Utilization of each target weight: current weight / target weight."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.reallocation.request import Thresholds
from domain.reallocation.tracking_error import ActiveRisk

ROUNDING = 1e-12
"""A difference of weights below this is rounding."""


@dataclass(frozen=True, slots=True)
class AssetUtilization:
    """One asset of the holdings or of the target."""

    symbol: str
    current_weight: float | None  # None where it has no price
    target_weight: float
    utilization: float | None  # current / target; None where the target is 0, or next to it
    exceeded: bool


@dataclass(frozen=True, slots=True)
class UtilizationReport:
    """Every asset of the holdings and of the target."""

    assets: tuple[AssetUtilization, ...]
    tracking_error_annual: float | None = None  # to the target; None where no threshold asks for it
    too_far: bool = False  # the tracking error exceeds its threshold

    @property
    def exceeded(self) -> bool:
        """Whether any asset, or the tracking error, exceeds a threshold."""
        return self.too_far or any(asset.exceeded for asset in self.assets)


def utilization(
    symbols: Sequence[str],
    current: Mapping[str, float],
    target: Mapping[str, float],
    thresholds: Thresholds,
    active_risk: ActiveRisk | None = None,
) -> UtilizationReport:
    """Current weight / target weight of each asset; any holding without a target exceeds.

    Raises InvalidInput where a tracking error is asked for and an asset has no stored prices.
    """
    assets = tuple(_asset(s, current.get(s), target.get(s, 0.0), thresholds) for s in symbols)
    limit = thresholds.max_tracking_error_annual
    if limit is None or active_risk is None:
        return UtilizationReport(assets)
    error = active_risk.annual({a.symbol: (a.current_weight or 0.0) - a.target_weight for a in assets})
    return UtilizationReport(assets, error, error > limit + ROUNDING)


def _asset(symbol: str, current: float | None, target: float, thresholds: Thresholds) -> AssetUtilization:
    if current is None:
        return AssetUtilization(symbol, None, target, None, exceeded=False)
    used = current / target if target > 0.0 else None
    if used == math.inf:
        used = None  # too large for a float
    return AssetUtilization(symbol, current, target, used, _exceeds(current, target, thresholds))


def _exceeds(current: float, target: float, thresholds: Thresholds) -> bool:
    deviation = abs(current - target)
    if deviation <= ROUNDING:
        return False
    if target == 0.0:
        return True
    if not thresholds.any_set:
        return True
    # An excess below ROUNDING is a rounding error and not a breach.
    over = thresholds.max_utilization is not None and current > target * thresholds.max_utilization + ROUNDING
    drifted = thresholds.drift_band is not None and deviation > thresholds.drift_band + ROUNDING
    band = thresholds.relative_band
    relative = band is not None and deviation > target * band + ROUNDING
    return over or drifted or relative
