"""When a backtest rebalances: one function for each rule, and `rebalancing` to combine and limit them."""

from collections.abc import Mapping

from absfinance.v1 import backtest_pb2 as pb
from absfinance.v1.frequency_pb2 import Frequency as FrequencyEnum

from absfin.choices import BandDestination, BandScope, BandTrigger, Frequency, choice

Rebalancing = pb.Rebalancing
DriftBand = pb.Rebalancing.DriftBand
Width = float | tuple[float | None, float | None]
"""Half of the width of a band: absolute, or absolute and relative to the target, of which the tighter counts."""


def calendar(
    frequency: Frequency = "monthly", *, last: bool = False, nth: int | None = None, offset_days: int = 0
) -> Rebalancing:
    """Rebalances on the first, last or n-th date of each calendar period, or `offset_days` dates later.

    Dates are those of the prices; `nth` counts from 1 and is the last date of a period with fewer. Raises ValueError
    where both `last` and `nth` are given.
    """
    if last and nth is not None:
        raise ValueError("calendar: give either last or nth")
    day = pb.REBALANCE_DAY_LAST if last else pb.REBALANCE_DAY_FIRST if nth is None else pb.REBALANCE_DAY_NTH
    return Rebalancing(
        calendar=Rebalancing.Calendar(
            frequency=choice(FrequencyEnum, "frequency", frequency), day=day, offset_days=offset_days, nth_day=nth
        )
    )


def every_periods(n: int) -> Rebalancing:
    """Rebalances every n dates."""
    return Rebalancing(every_periods=Rebalancing.EveryPeriods(n=n))


def never() -> Rebalancing:
    """Buy and hold: no rebalance after the first purchase."""
    return Rebalancing(never=Rebalancing.Never())


def dates_of(rule: Rebalancing | None = None) -> pb.RebalancingDates | None:
    """The dates of `calendar`, `every_periods` or `never`. Raises ValueError where the rule has more than dates."""
    if rule is None:
        return None
    name = rule.WhichOneof("schedule")
    if name is None or len(rule.ListFields()) > 1:
        raise ValueError("rebalancing of a blend: give calendar, every_periods or never, and nothing else")
    return pb.RebalancingDates(**{name: getattr(rule, name)})


def drift_band(
    absolute: float | None = None,
    relative: float | None = None,
    *,
    to: BandDestination = "target",
    fraction: float | None = None,
    scope: BandScope = "all",
    by_asset: Mapping[str, Width] | None = None,
    by_group: Mapping[str, Width] | None = None,
    trigger: BandTrigger = "any_breach",
    max_tracking_error_annual: float | None = None,
    risk_aversion: float | None = None,
    horizon_days: int | None = None,
) -> DriftBand:
    """A band around each target weight, of half-width `absolute` or `relative` times the target, the tighter of both.

    A weight outside its band starts a trade `to` the target, to the edge of the band with the least traded, or by
    `fraction` of the distance to the target; of all assets, or with scope "breached" of those outside their bands.
    `by_asset` gives single assets bands of their own, `by_group` bands to the sums of stored labels such as
    "sector=Energy". Other triggers: "tracking_error" above `max_tracking_error_annual`, and "cost_benefit", where
    less tracking variance times half the `risk_aversion` is worth more than the cost spread over `horizon_days`.
    """
    band = DriftBand
    return band(
        absolute=absolute,
        relative=relative,
        destination=choice(band.Destination, "to", to),
        fraction=fraction,
        scope=choice(band.BandScope, "scope", scope),
        by_asset=[band.AssetBand(symbol=name, **_width(width)) for name, width in (by_asset or {}).items()],
        by_group=[band.GroupBand(group=name, **_width(width)) for name, width in (by_group or {}).items()],
        trigger=choice(band.BandTrigger, "trigger", trigger),
        max_tracking_error_annual=max_tracking_error_annual,
        risk_aversion=risk_aversion,
        horizon_days=horizon_days,
    )


def rebalancing(
    schedule: Rebalancing | None = None,
    *,
    band: DriftBand | None = None,
    min_periods_between: int | None = None,
    flows_only: bool = False,
    max_turnover: float | None = None,
    tranches: int | None = None,
) -> Rebalancing:
    """A schedule (`calendar`, `every_periods`, `never`) with a band beside it, or a band alone, and limits.

    Without a schedule it is monthly, or none where there is a band or `flows_only`. `min_periods_between` is the least
    number of dates between rebalancings; `flows_only` trades only to invest money that comes in, and sells nothing;
    `max_turnover` is the largest one-way turnover of one rebalancing, as a fraction of net asset value, but not of the
    first purchase; `tranches` are equal parts of the portfolio whose dates are staggered.
    """
    combined = Rebalancing(
        drift_band=band,
        min_periods_between=min_periods_between,
        flows_only=flows_only,
        max_turnover=max_turnover,
        tranches=tranches,
    )
    if schedule is not None:
        combined.MergeFrom(schedule)
    return combined


def _width(width: Width) -> dict[str, float | None]:
    absolute, relative = width if isinstance(width, tuple) else (width, None)
    return {"absolute": absolute, "relative": relative}
