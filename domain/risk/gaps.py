"""Data made ready for a report: what is missing is refused, dropped, or left to an estimator of moments."""

from dataclasses import dataclass, replace

from domain.errors import InvalidInput
from domain.estimation.gaps import maximum_likelihood, pairwise
from domain.market_data.missing import MissingData, MissingDataPolicy, complete, missing_data
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel, ReturnPanel, Scenarios
from domain.market_data.source import MarketInput, complete_returns


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a report is made from."""

    data: ReturnPanel | Scenarios | Moments  # returns on complete dates, moments where there are none
    missing: MissingData | None  # None for moments and scenarios
    panel: PricePanel | ReturnPanel | None = None  # the complete dates, as they came
    moments: Moments | None = None  # from all dates, where gaps were left to an estimator
    start: int | None = None  # the date before the first return, where it is known


def prepared(data: MarketInput, policy: MissingDataPolicy, periods_per_year: float) -> Prepared:
    """Data without gaps, and moments from all of it where the policy says how.

    Figures of a distribution are then those of the dates that are complete; where none is, only moments are left.
    Raises InvalidInput with the field named.
    """
    if isinstance(data, Moments | Scenarios):
        return Prepared(data, None)
    lacking = missing_data(data, policy)
    if not policy.keeps_gaps or not lacking.values:
        plain = MissingDataPolicy.FAIL if policy.keeps_gaps else policy
        returns = complete_returns(data, plain)
        return Prepared(returns, lacking, complete(data, plain), start=_start(data, plain))
    kind = "prices" if isinstance(data, PricePanel) else "returns"
    try:
        gapped = data.returns() if isinstance(data, PricePanel) else data
        estimate = maximum_likelihood if policy is MissingDataPolicy.MAXIMUM_LIKELIHOOD else pairwise
        found = estimate(gapped.values)
    except InvalidInput as error:
        raise error.under(kind) from None
    moments = Moments.of(data.symbols, found.means, found.covariance, periods_per_year, repair_covariance=True)
    lacking = replace(lacking, rounds=found.rounds)
    try:
        whole = MissingDataPolicy.DROP_DATES
        returns, panel = complete_returns(data, whole), complete(data, whole)
    except InvalidInput:
        return Prepared(moments, lacking, moments=moments)
    return Prepared(returns, lacking, panel, moments, _start(data, whole))


def _start(data: PricePanel | ReturnPanel, policy: MissingDataPolicy) -> int | None:
    return int(complete(data, policy).dates[0]) if isinstance(data, PricePanel) else None
