"""Treatment of missing values in a panel."""

from enum import StrEnum
from typing import TypeVar

import numpy as np

from domain.checks import freeze
from domain.errors import InvalidInput
from domain.market_data.panel import Panel, PricePanel, civil_date
from domain.records import dataclass


class MissingDataPolicy(StrEnum):
    """FAIL raises InvalidInput; DROP_DATES leaves out every date on which any symbol has no value.

    ASSET_STATES takes a gap for a state of the asset; the others leave gaps to the estimator of moments.
    """

    FAIL = "FAIL"
    DROP_DATES = "DROP_DATES"
    MAXIMUM_LIKELIHOOD = "MAXIMUM_LIKELIHOOD"
    PAIRWISE = "PAIRWISE"
    ASSET_STATES = "ASSET_STATES"  # of a backtest: not listed, halted, delisted

    @property
    def keeps_gaps(self) -> bool:
        """Whether it is a way to estimate moments, and not one to fill or drop."""
        return self in (MissingDataPolicy.MAXIMUM_LIKELIHOOD, MissingDataPolicy.PAIRWISE)


@dataclass(frozen=True, slots=True)
class MissingData:
    """Counts of missing values, by the state that their place among a symbol's values says it was in."""

    policy: MissingDataPolicy
    values: int = 0
    dropped_dates: int = 0
    not_listed: int = 0  # before a symbol's first value
    halted: int = 0  # between values
    delisted: int = 0  # after its last
    rounds: int = 0  # of a search for moments


P = TypeVar("P", bound=Panel)


def missing_data(panel: Panel, policy: MissingDataPolicy) -> MissingData:
    """Counts of what is missing."""
    known = ~np.isnan(panel.values)
    if known.all():
        return MissingData(policy)
    seen_before = np.maximum.accumulate(known, axis=0)
    seen_after = np.maximum.accumulate(known[::-1], axis=0)[::-1]
    gaps = ~known
    return MissingData(
        policy,
        values=int(gaps.sum()),
        dropped_dates=int(gaps.any(axis=1).sum()) if policy is MissingDataPolicy.DROP_DATES else 0,
        not_listed=int((gaps & ~seen_before).sum()),
        halted=int((gaps & seen_before & seen_after).sum()),
        delisted=int((gaps & seen_before & ~seen_after).sum()),
    )


def refuse_gap_estimators(policy: MissingDataPolicy) -> None:
    """Raises InvalidInput for a policy that leaves gaps to an estimator, where no estimator is used."""
    if policy is MissingDataPolicy.ASSET_STATES:
        raise InvalidInput("missing_data", f"{policy} is supported by Backtest only")
    if policy.keeps_gaps:
        raise InvalidInput("missing_data", f"{policy} is supported by AnalyzeRisk and EstimateRiskModel only")


def symbols_without_values(panel: Panel) -> tuple[str, ...]:
    """Symbols that have no value on any date."""
    empty = np.isnan(panel.values).all(axis=0)
    return tuple(panel.symbols[j] for j in np.flatnonzero(empty))


def require_every_symbol(panel: Panel) -> None:
    """Raises InvalidInput for a symbol without any value, naming it and the range of dates."""
    for symbol in symbols_without_values(panel):
        rule = f"{symbol} has no value {span_of(panel)}; import prices, or leave the symbol out"
        raise InvalidInput(f"symbols[{panel.symbols.index(symbol)}]", rule)


def span_of(panel: Panel) -> str:
    """From its first date to its last, in words."""
    return f"from {civil_date(panel.dates[0])} to {civil_date(panel.dates[-1])}"


def _gap(panel: Panel, i: int, j: int) -> str:
    symbol, day = panel.symbols[j], civil_date(panel.dates[i])
    drop = "set missing_data to drop the dates on which any symbol has none"
    before = panel.values[:i, j]
    if isinstance(panel, PricePanel) and (before == 0.0).any():
        lost = civil_date(panel.dates[int(np.argmax(before == 0.0))])
        return f"{symbol} is worth 0 since {lost} and has no return on {day}; end the input there, or {drop}"
    return f"{symbol} has no value on {day}; import it, or {drop}"


def complete(panel: P, policy: MissingDataPolicy) -> P:
    """The panel without missing values.

    Raises InvalidInput under FAIL, naming symbol and first date, under DROP_DATES when no date is left, and for a
    policy that keeps gaps.
    """
    refuse_gap_estimators(policy)
    missing = np.isnan(panel.values)
    if not missing.any():
        return panel
    require_every_symbol(panel)
    if policy is MissingDataPolicy.FAIL:
        i, j = (int(k) for k in np.argwhere(missing)[0])
        raise InvalidInput(f"values[{i * len(panel.symbols) + j}]", _gap(panel, i, j))
    kept = ~missing.any(axis=1)
    if not kept.any():
        raise InvalidInput("values", "no date has a value of every symbol")
    return type(panel)(panel.symbols, panel.dates[kept], freeze(panel.values[kept]))
