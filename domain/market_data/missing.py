"""What to do where a panel has no value."""

from enum import StrEnum
from typing import TypeVar

import numpy as np

from domain.checks import freeze
from domain.errors import InvalidInput
from domain.market_data.panel import Panel, civil_date


class MissingDataPolicy(StrEnum):
    """FAIL refuses; DROP_DATES leaves out every date on which any symbol has no value."""

    FAIL = "FAIL"
    DROP_DATES = "DROP_DATES"


P = TypeVar("P", bound=Panel)


def complete(panel: P, policy: MissingDataPolicy) -> P:
    """The panel without missing values.

    Raises InvalidInput under FAIL, naming symbol and first date, and under DROP_DATES when no date is left.
    """
    missing = np.isnan(panel.values)
    if not missing.any():
        return panel
    if policy is MissingDataPolicy.FAIL:
        i, j = (int(k) for k in np.argwhere(missing)[0])
        raise InvalidInput(
            f"values[{i * len(panel.symbols) + j}]",
            f"{panel.symbols[j]} has no value on {civil_date(panel.dates[i])}; import it, or set missing_data to drop "
            "the dates on which any symbol has none",
        )
    kept = ~missing.any(axis=1)
    if not kept.any():
        raise InvalidInput("values", "no date is left on which every symbol has a value")
    return type(panel)(panel.symbols, panel.dates[kept], freeze(panel.values[kept]))
