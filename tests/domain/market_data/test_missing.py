"""A hole is refused with its place, or its date is dropped."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.missing import MissingDataPolicy, complete
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.market_data.source import complete_returns
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.specification import Specification
from domain.risk.prepared import prepared

PANEL = PricePanel.of(("A", "B"), [0, 1, 2], [[1, 2], [3, np.nan], [5, 6]])


def test_fail_names_symbol_and_first_date() -> None:
    with pytest.raises(InvalidInput, match="B has no value on 1970-01-02") as error:
        complete(PANEL, MissingDataPolicy.FAIL)
    assert error.value.field == "values[3]"


def test_drop_dates_keeps_the_complete_rows() -> None:
    kept = complete(PANEL, MissingDataPolicy.DROP_DATES)
    assert (kept.dates.tolist(), kept.values.tolist()) == ([0, 2], [[1, 2], [5, 6]])


@pytest.mark.parametrize(
    "policy", [policy for policy in MissingDataPolicy if policy is not MissingDataPolicy.ASSET_STATES]
)
@pytest.mark.parametrize("kind", [PricePanel, ReturnPanel])
def test_a_symbol_without_any_value_is_named_with_the_range(
    policy: MissingDataPolicy, kind: type[PricePanel] | type[ReturnPanel]
) -> None:
    data = kind.of(("A", "GONE"), [0, 1, 31], [[1, np.nan], [3, np.nan], [5, np.nan]])
    with pytest.raises(InvalidInput, match="GONE has no value from 1970-01-01 to 1970-02-01") as error:
        prepared(data, policy, 252.0)
    assert error.value.field == ("prices" if kind is PricePanel else "returns") + ".symbols[1]"


def test_states_of_assets_are_of_backtests_alone() -> None:
    with pytest.raises(InvalidInput, match="is supported by Backtest only") as error:
        prepared(PANEL, MissingDataPolicy.ASSET_STATES, 252.0)
    assert error.value.field == "missing_data"


def test_the_last_return_of_what_becomes_worthless_is_everything() -> None:
    """B falls to 0 on the third date: -1; from there on it has no return, and the date says so."""
    worthless = PricePanel.of("AB", range(4), [[1, 4], [2, 2], [2, 0], [4, 0]])
    first_three = PricePanel.of("AB", range(3), worthless.values[:3])
    returns = complete_returns(first_three, MissingDataPolicy.FAIL)
    assert returns.values.tolist() == [[1.0, -0.5], [0.0, -1.0]]
    with pytest.raises(InvalidInput, match="B is worth 0 since 1970-01-03 and has no return on 1970-01-04"):
        complete_returns(worthless, MissingDataPolicy.FAIL)
    dropped = complete_returns(worthless, MissingDataPolicy.DROP_DATES)
    assert dropped.values.tolist() == returns.values.tolist()
    gaps = prepared(worthless, MissingDataPolicy.PAIRWISE, 252.0)
    assert gaps.missing is not None
    assert (gaps.missing.values, gaps.missing.delisted) == (1, 1)


def test_prices_of_nearly_everything_have_returns() -> None:
    """A ratio beyond a double is refused by symbol and date; no warning and no infinity."""
    extreme = PricePanel.of("A", [0, 1], [[1e-300], [1e300]])
    with pytest.raises(InvalidInput, match="infinite for A on 1970-01-02"):
        complete_returns(extreme, MissingDataPolicy.FAIL)


def test_nothing_left_is_an_error() -> None:
    holes = PricePanel.of(("A", "B"), [0, 1], [[1, np.nan], [np.nan, 2]])
    with pytest.raises(InvalidInput, match="no date has a value of every symbol"):
        complete(holes, MissingDataPolicy.DROP_DATES)


def test_a_year_has_the_periods_of_the_dates_that_are_left() -> None:
    """One asset has a price a month only: moments of what is left are monthly."""
    values = np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, (600, 2)), axis=0))
    values[np.arange(600) % 30 != 0, 1] = np.nan
    panel = PricePanel.of("AB", range(600), values)
    specification = Specification(MinRisk(), missing_data=MissingDataPolicy.DROP_DATES)
    assert build_problem(specification, panel).moments.periods_per_year == 12
