"""Drift bands as a caller specifies them: how far a weight may drift from its target, and where a trade goes."""

import math
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from domain.checks import non_negative, positive
from domain.errors import InvalidInput
from domain.records import dataclass

PATH = "rebalancing.drift_band"


class BandTrigger(StrEnum):
    """What starts a trade."""

    ANY_BREACH = "ANY_BREACH"
    TRACKING_ERROR = "TRACKING_ERROR"  # of all weights to the target, above a limit
    COST_BENEFIT = "COST_BENEFIT"  # less tracking variance is worth more than its cost


class BandScope(StrEnum):
    """What is traded."""

    ALL = "ALL"
    BREACHED = "BREACHED"


class BandDestination(StrEnum):
    """How far a trade goes."""

    TARGET = "TARGET"
    EDGE = "EDGE"
    FRACTION = "FRACTION"


@dataclass(frozen=True, slots=True)
class BandWidth:
    """Half of the width of a band around a target: the tighter of the two, none where both are absent."""

    absolute: float | None = None
    relative: float | None = None  # fraction of the target

    def check(self, path: str) -> None:
        """Raises InvalidInput for a negative width, or none at all."""
        if self.absolute is None and self.relative is None:
            raise InvalidInput(path, "must give absolute or relative")
        for name, value in (("absolute", self.absolute), ("relative", self.relative)):
            if value is not None:
                non_negative(f"{path}.{name}", value)

    @property
    def bounds(self) -> tuple[float, float]:
        """Absolute and relative half-width, infinite where absent."""
        return (
            math.inf if self.absolute is None else self.absolute,
            math.inf if self.relative is None else self.relative,
        )


@dataclass(frozen=True, slots=True)
class DriftBand:
    """Bands of assets, of groups, and of cash, which has the band of `width` where it has a target."""

    width: BandWidth = field(default_factory=BandWidth)
    by_symbol: Mapping[str, BandWidth] = field(default_factory=dict)  # instead of `width`
    by_group: Mapping[str, BandWidth] = field(default_factory=dict)  # of the sum of a group, beside those of assets
    trigger: BandTrigger = BandTrigger.ANY_BREACH
    scope: BandScope = BandScope.ALL
    destination: BandDestination = BandDestination.TARGET
    fraction: float = 1.0  # with FRACTION: of the way to the target
    max_tracking_error_annual: float | None = None  # with TRACKING_ERROR
    risk_aversion: float | None = None  # with COST_BENEFIT
    horizon_days: int | None = None  # with COST_BENEFIT: calendar days over which the cost is spread

    def __post_init__(self) -> None:
        for i, (_symbol, width) in enumerate(self.by_symbol.items()):
            width.check(f"{PATH}.by_asset[{i}]")
        for i, (_group, width) in enumerate(self.by_group.items()):
            width.check(f"{PATH}.by_group[{i}]")
        if self._needs_width and not self.by_symbol and not self.by_group:
            self.width.check(PATH)
        self._goes_with(BandTrigger.TRACKING_ERROR, "max_tracking_error_annual")
        self._goes_with(BandTrigger.COST_BENEFIT, "risk_aversion")
        self._goes_with(BandTrigger.COST_BENEFIT, "horizon_days")
        if not self._needs_width:
            self._refuse_widths()
        if not 0.0 < self.fraction <= 1.0:
            raise InvalidInput(f"{PATH}.fraction", f"must be above 0 and at most 1, is {self.fraction:g}")

    @property
    def depends_on_groups(self) -> bool:
        """Whether the weights a trade goes to depend on the bands of groups."""
        return self.destination is BandDestination.EDGE or self.scope is BandScope.BREACHED

    @property
    def _needs_width(self) -> bool:
        """Whether a weight is held against its band, to trade or to say where to."""
        return self.trigger is BandTrigger.ANY_BREACH or self.depends_on_groups

    def _goes_with(self, trigger: BandTrigger, name: str) -> None:
        """Raises InvalidInput unless a figure is given with its trigger and only with it, and above 0."""
        value, path = getattr(self, name), f"{PATH}.{name}"
        if self.trigger is trigger and value is None:
            raise InvalidInput(path, f"must be given with the trigger {trigger}")
        if value is None:
            return
        if self.trigger is not trigger:
            raise InvalidInput(path, f"goes with the trigger {trigger} alone, the trigger is {self.trigger}")
        positive(path, value)

    def _refuse_widths(self) -> None:
        """Raises InvalidInput for widths of bands that would have no effect."""
        widths = {
            "absolute": self.width.absolute is not None,
            "relative": self.width.relative is not None,
            "by_asset": bool(self.by_symbol),
            "by_group": bool(self.by_group),
        }
        for name, is_given in widths.items():
            if is_given:
                raise InvalidInput(
                    f"{PATH}.{name}",
                    f"has no effect with the trigger {self.trigger} and the destination {self.destination}: no weight "
                    "is held against its band, and none goes to its edge",
                )
