"""Utilization of each target weight: current weight / target weight; and which thresholds are exceeded."""

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from domain.reallocation.request import Thresholds
from domain.reallocation.tracking_error import ActiveRisk
from domain.records import dataclass

ROUNDING = 1e-12
"""A difference of weights below this is rounding."""


class Threshold(StrEnum):
    """A threshold that is exceeded."""

    ANY_DIFFERENCE = "ANY_DIFFERENCE"  # none is set
    NOT_WANTED = "NOT_WANTED"  # it is held and its target is 0
    MAX_UTILIZATION = "MAX_UTILIZATION"
    DRIFT_BAND = "DRIFT_BAND"
    RELATIVE_BAND = "RELATIVE_BAND"
    TRACKING_ERROR = "TRACKING_ERROR"


@dataclass(frozen=True, slots=True)
class AssetUtilization:
    """One asset of the holdings or of the target."""

    symbol: str
    current_weight: float | None  # None where it has no price
    target_weight: float
    utilization: float | None  # current / target; None where the target is 0, or next to it
    thresholds: tuple[Threshold, ...] = ()  # that it exceeds
    fx_drift: float | None = None  # part of the difference to the target that currencies made; None if not known

    @property
    def exceeded(self) -> bool:
        """Whether it exceeds a threshold."""
        return bool(self.thresholds)

    @property
    def price_drift(self) -> float | None:
        """The part of the difference to the target that currencies did not make; None if not known."""
        if self.fx_drift is None or self.current_weight is None:
            return None
        return self.current_weight - self.target_weight - self.fx_drift


@dataclass(frozen=True, slots=True)
class GroupUtilization:
    """The members of a group that have a price; of the target all members."""

    name: str
    current_weight: float
    target_weight: float
    utilization: float | None


@dataclass(frozen=True, slots=True)
class UtilizationReport:
    """Every asset of the holdings and of the target, groups of them, and the whole."""

    assets: tuple[AssetUtilization, ...]
    tracking_error_annual: float | None = None  # to the target; None where no threshold asks for it
    too_far: bool = False  # the tracking error exceeds its threshold
    groups: tuple[GroupUtilization, ...] = ()

    @property
    def exceeded(self) -> bool:
        """Whether any asset, or the tracking error, exceeds a threshold."""
        return bool(self.thresholds)

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """All that are exceeded, in the order of Threshold."""
        found = {threshold for asset in self.assets for threshold in asset.thresholds}
        return tuple(one for one in Threshold if one in found or (one is Threshold.TRACKING_ERROR and self.too_far))

    @property
    def invested_weight(self) -> float:
        """Sum of the current weights; the rest is cash."""
        return math.fsum(asset.current_weight or 0.0 for asset in self.assets)

    @property
    def target_invested_weight(self) -> float:
        """Sum of the target weights."""
        return math.fsum(asset.target_weight for asset in self.assets)

    @property
    def drift(self) -> float:
        """Half the sum of absolute differences to the target, of assets with a price."""
        differences = (abs(a.current_weight - a.target_weight) for a in self.assets if a.current_weight is not None)
        return 0.5 * math.fsum(differences)


def utilization(
    symbols: Sequence[str],
    current: Mapping[str, float],
    target: Mapping[str, float],
    thresholds: Thresholds,
    active_risk: ActiveRisk | None = None,
    groups: Mapping[str, Iterable[str]] | None = None,
    fx_drifts: Mapping[str, float] | None = None,
) -> UtilizationReport:
    """Current weight / target weight of each asset and group; any holding without a target exceeds.

    Raises InvalidInput where a tracking error is asked for and an asset has no stored prices.
    """
    drifts = fx_drifts or {}
    assets = tuple(_asset(s, current.get(s), target.get(s, 0.0), thresholds, drifts.get(s)) for s in symbols)
    sums = tuple(_group(name, members, current, target) for name, members in (groups or {}).items())
    limit = thresholds.max_tracking_error_annual
    if limit is None or active_risk is None:
        return UtilizationReport(assets, groups=sums)
    error = active_risk.annual({a.symbol: (a.current_weight or 0.0) - a.target_weight for a in assets})
    return UtilizationReport(assets, error, error > limit + ROUNDING, sums)


def _asset(
    symbol: str, current: float | None, target: float, thresholds: Thresholds, fx_drift: float | None
) -> AssetUtilization:
    if current is None:
        return AssetUtilization(symbol, None, target, None)
    exceeded = tuple(_exceeded(current, target, thresholds))
    return AssetUtilization(symbol, current, target, _ratio(current, target), exceeded, fx_drift)


def _group(
    name: str, members: Iterable[str], current: Mapping[str, float], target: Mapping[str, float]
) -> GroupUtilization:
    members = tuple(dict.fromkeys(members))
    held = math.fsum(current.get(symbol, 0.0) for symbol in members)
    wanted = math.fsum(target.get(symbol, 0.0) for symbol in members)
    return GroupUtilization(name, held, wanted, _ratio(held, wanted))


def _ratio(current: float, target: float) -> float | None:
    used = current / target if target > 0.0 else None
    return None if used == math.inf else used  # too large for a float


def _exceeded(current: float, target: float, thresholds: Thresholds) -> Iterable[Threshold]:
    deviation = abs(current - target)
    if deviation <= ROUNDING:
        return
    if target == 0.0:
        yield Threshold.NOT_WANTED
        return
    if not thresholds.any_set:
        yield Threshold.ANY_DIFFERENCE
    # An excess below ROUNDING is a rounding error and not a breach.
    if thresholds.max_utilization is not None and current > target * thresholds.max_utilization + ROUNDING:
        yield Threshold.MAX_UTILIZATION
    if thresholds.drift_band is not None and deviation > thresholds.drift_band + ROUNDING:
        yield Threshold.DRIFT_BAND
    if thresholds.relative_band is not None and deviation > target * thresholds.relative_band + ROUNDING:
        yield Threshold.RELATIVE_BAND
