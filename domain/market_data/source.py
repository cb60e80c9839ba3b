"""The data of a request in any of its forms, and its conversion to complete returns."""

import numpy as np

from domain.calendar import periods_per_year
from domain.checks import frequency
from domain.errors import InvalidInput
from domain.market_data.missing import MissingDataPolicy, complete, refuse_gap_estimators
from domain.market_data.moments import Moments
from domain.market_data.panel import Panel, PricePanel, ReturnPanel, Scenarios

MarketInput = PricePanel | ReturnPanel | Moments | Scenarios


def infer_periods_per_year(
    given: float | None, data: Panel | Scenarios, policy: MissingDataPolicy = MissingDataPolicy.FAIL
) -> float:
    """What the caller said, or for prices what the spacing of dates says: of those that the policy leaves.

    Raises InvalidInput without either.
    """
    if given is not None:
        return frequency("periods_per_year", given)
    if isinstance(data, PricePanel):
        if policy is MissingDataPolicy.DROP_DATES:
            left = ~np.isnan(data.without_worthless().values).any(axis=1)
            # Where no date is left, `complete` raises the error.
            return periods_per_year(data.dates[left] if left.any() else data.dates)
        return periods_per_year(data.dates)
    kind = "returns" if isinstance(data, ReturnPanel) else "scenarios"
    raise InvalidInput("periods_per_year", f"must be given with {kind}")


def complete_returns(data: PricePanel | ReturnPanel, policy: MissingDataPolicy) -> ReturnPanel:
    """Returns without gaps. Raises InvalidInput with the field path from the request on."""
    kind = "prices" if isinstance(data, PricePanel) else "returns"
    refuse_gap_estimators(policy)
    try:
        panel = complete(data.without_worthless() if isinstance(data, PricePanel) else data, policy)
        return panel.returns() if isinstance(panel, PricePanel) else panel
    except InvalidInput as error:
        raise error.with_path_prefix(kind) from None
