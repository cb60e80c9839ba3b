"""Prepares data for a report: a missing value is an error, drops its date, or is left to an estimator of moments."""

from dataclasses import replace

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import moderate, moderate_moments
from domain.errors import InvalidInput
from domain.estimation.gaps import maximum_likelihood, pairwise
from domain.market_data.missing import MissingData, MissingDataPolicy, complete, missing_data, require_every_symbol
from domain.market_data.moments import Moments
from domain.market_data.panel import Days, PricePanel, ReturnPanel, Scenarios
from domain.market_data.source import MarketInput, complete_returns, infer_periods_per_year
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Prepared:
    """Complete data of a report."""

    data: ReturnPanel | Scenarios | Moments  # returns on complete dates, moments where there are none
    missing: MissingData | None  # None for moments and scenarios
    panel: PricePanel | ReturnPanel | None = None  # the complete dates, as they came
    moments: Moments | None = None  # from all dates, where gaps were left to an estimator
    start: int | None = None  # the date before the first return, where it is known
    dropped: Days | None = None  # dates whose returns are left out, and nowhere else


def prepared(
    data: MarketInput,
    policy: MissingDataPolicy,
    periods_per_year: float | None,
    check_cancelled: CancellationCheck = never_cancelled,
) -> Prepared:
    """Data without gaps, and moments of all dates where the policy is an estimator.

    Figures of a distribution are then those of the dates that are complete; where none is, only moments are left.
    Raises InvalidInput with the field named.
    """
    if isinstance(data, Moments):
        moderate_moments("moments", data.expected_returns, data.covariance)
        return Prepared(data, None)
    if isinstance(data, Scenarios):
        return Prepared(data.possible, None)
    if isinstance(data, PricePanel):
        data = data.without_worthless()
    lacking = missing_data(data, policy)
    if not policy.keeps_gaps or not lacking.values:
        plain = MissingDataPolicy.FAIL if policy.keeps_gaps else policy
        returns = complete_returns(data, plain)
        moderate("prices.values" if isinstance(data, PricePanel) else "returns.values", returns.values)
        return Prepared(
            returns, lacking, complete(data, plain), start=_start(data, plain), dropped=_dropped(data, returns)
        )
    kind = "prices" if isinstance(data, PricePanel) else "returns"
    try:
        require_every_symbol(data)
        gapped = data.returns() if isinstance(data, PricePanel) else data
        estimate = maximum_likelihood if policy is MissingDataPolicy.MAXIMUM_LIKELIHOOD else pairwise
        found = estimate(gapped.values, check_cancelled)
    except InvalidInput as error:
        raise error.with_path_prefix(kind) from None
    periods = infer_periods_per_year(periods_per_year, data)
    moments = Moments.of(data.symbols, found.means, found.covariance, periods, repair_covariance=True)
    lacking = replace(lacking, rounds=found.rounds)
    try:
        # Returns first: each is then of one period, as those are that the moments come from.
        returns = complete(gapped, MissingDataPolicy.DROP_DATES)
        panel = complete(data, MissingDataPolicy.DROP_DATES)
    except InvalidInput:
        return Prepared(moments, lacking, moments=moments)
    return Prepared(returns, lacking, panel, moments, dropped=np.setdiff1d(gapped.dates, returns.dates))


def _dropped(data: PricePanel | ReturnPanel, returns: ReturnPanel) -> Days | None:
    """None for prices: the return over a date that is left out is part of the next one."""
    return None if isinstance(data, PricePanel) else np.setdiff1d(data.dates, returns.dates)


def _start(data: PricePanel | ReturnPanel, policy: MissingDataPolicy) -> int | None:
    return int(complete(data, policy).dates[0]) if isinstance(data, PricePanel) else None
