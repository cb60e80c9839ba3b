"""Which stored corporate actions take effect in a backtest."""

import numpy as np
import pytest

from domain.backtest.preparation import simulated_market
from domain.backtest.specification import BacktestSpecification
from domain.backtest.stored_actions import applicable
from domain.backtest.strategies import EqualWeightStrategy
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    PriceBasis,
    Split,
    require_consistent,
)
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel

NAN = float("nan")
PANEL = PricePanel.of("AB", [10, 11, 12, 13, 14], [[1.0, NAN], [1.0, NAN], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])


def split(symbol: str, day: int, ratio: float = 2.0) -> CorporateAction:
    return CorporateAction(symbol, day, Split(ratio))


def dividend(symbol: str, day: int, amount: float = 1.0) -> CorporateAction:
    return CorporateAction(symbol, day, CashDividend(amount))


def delisting(symbol: str, day: int) -> CorporateAction:
    return CorporateAction(symbol, day, Delisting(0.0))


def specification(*given: CorporateAction, basis: PriceBasis = PriceBasis.UNADJUSTED) -> BacktestSpecification:
    return BacktestSpecification((EqualWeightStrategy("s"),), corporate_actions=given, price_basis=basis)


@pytest.mark.parametrize(
    ("basis", "kept"),
    [(PriceBasis.ADJUSTED, [2]), (PriceBasis.SPLIT_ADJUSTED, [1, 2]), (PriceBasis.UNADJUSTED, [0, 1, 2])],
)
def test_the_price_basis_decides(basis: PriceBasis, kept: list[int]) -> None:
    stored = [split("A", 11), dividend("A", 12), delisting("A", 14)]
    assert list(applicable(stored, specification(basis=basis), PANEL)) == [stored[i] for i in kept]


def test_only_dates_with_prices_of_the_symbol() -> None:
    stored = [split("A", 9), split("A", 10), split("A", 14), split("A", 15), split("B", 11), split("B", 12)]
    stored.append(split("C", 12))
    assert applicable(stored, specification(), PANEL) == (stored[1], stored[2], stored[5])


def test_a_symbol_without_a_price_has_no_actions() -> None:
    empty = PricePanel.of("AB", [10, 11], [[1.0, NAN], [1.0, NAN]])
    assert applicable([split("B", 10)], specification(), empty) == ()


def test_given_actions_replace_those_of_their_key() -> None:
    stored = [split("A", 11), dividend("A", 11), split("A", 12), delisting("A", 13), delisting("B", 14)]
    given = (split("A", 11, 3.0), delisting("A", 14))
    assert applicable(stored, specification(*given), PANEL) == (stored[1], stored[2], stored[4])


def test_nothing_follows_a_delisting() -> None:
    stored = [dividend("A", 12), delisting("A", 12), dividend("A", 13), dividend("B", 14)]
    assert applicable(stored, specification(), PANEL) == (stored[0], stored[1], stored[3])
    assert applicable([dividend("A", 12), dividend("A", 13)], specification(delisting("A", 12)), PANEL) == (
        dividend("A", 12),
    )


def test_dates_that_are_dropped_take_their_actions_with_them() -> None:
    spec = BacktestSpecification(
        (EqualWeightStrategy("s"),), price_basis=PriceBasis.UNADJUSTED, missing_data=MissingDataPolicy.DROP_DATES
    )
    stored = (split("A", 11), split("A", 13))
    assert applicable(stored, spec, PANEL) == stored
    market = simulated_market(spec.with_stored_actions(stored), PANEL)
    assert market.panel.dates.tolist() == [12, 13, 14]
    assert market.actions.date.tolist() == [1]


def test_an_error_names_the_stored_action_and_keeps_the_index_of_a_given_one() -> None:
    weekly = PricePanel.of("A", [7, 14, 21], np.ones((3, 1)))
    both = specification(split("A", 8)).with_stored_actions((split("A", 9),))
    with pytest.raises(
        InvalidInput, match="the stored split of A on 1970-01-10 contradicts corporate_actions"
    ) as found:
        simulated_market(both, weekly)
    assert found.value.field == "market_data"
    stored = specification().with_stored_actions((split("A", 8), split("A", 9)))
    with pytest.raises(InvalidInput, match="1970-01-10 contradicts the stored split of A on 1970-01-09"):
        simulated_market(stored, weekly)
    late = specification(split("A", 30)).with_stored_actions((split("A", 9),))
    with pytest.raises(InvalidInput) as found:
        simulated_market(late, weekly)
    assert found.value.field == "corporate_actions[0].ex_date"


def test_what_contradicts_in_a_list() -> None:
    require_consistent("x", [split("A", 1), dividend("A", 1), split("A", 2), split("B", 1), delisting("A", 2)])
    for wrong, field in (
        ([split("A", 1), split("A", 1)], "x[1]"),
        ([dividend("A", 1), dividend("A", 1, 2.0)], "x[1]"),
        ([delisting("A", 1), delisting("A", 2)], "x[1]"),
        ([split("A", 3), delisting("A", 2)], "x[0].ex_date"),
    ):
        with pytest.raises(InvalidInput) as found:
            require_consistent("x", wrong)
        assert found.value.field == field
    with pytest.raises(InvalidInput, match="before the ex-date"):
        CorporateAction("A", 5, CashDividend(1.0, 4))
