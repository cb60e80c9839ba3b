"""The square-root law in units that can be followed by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.costs.impact import AlmgrenImpact, Liquidity, SquareRootImpact
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.costs.trading import TRADED, TradingCosts
from domain.errors import InvalidInput, NotSupported
from domain.market_data.moments import Moments

MOMENTS = Moments.of(["A", "B"], [0.0, 0.0], [[0.0004, 0.0], [0.0, 0.0001]], 252.0)
HELD = np.array([0.5, 0.5])
BOTH = np.array([True, True])


def test_a_tenth_of_a_million_in_a_market_of_five() -> None:
    """2 % a day, Q / ADV = 0.02: 2 % x sqrt(0.02) x 2/3 is 18.86 bp of 100 000, 188.56 in money."""
    model = CostModel(impact=SquareRootImpact(1.0), portfolio_value=1e6, liquidity={"A": Liquidity(5e6)})
    costs = model.trading(MOMENTS, HELD, np.array([True, False]))
    assert 1e6 * costs.of(np.array([0.6, 0.5])) == pytest.approx(188.561808, rel=1e-8)


@given(st.floats(1e-3, 1.0), st.floats(1e-6, 1e3), st.floats(1e3, 1e12), st.floats(0.1, 10.0))
def test_it_is_the_integral_of_the_price_impact(traded: float, scale: float, value: float, coefficient: float) -> None:
    """By Gauss-Legendre in the square root of what is done, where the integrand is a polynomial."""
    daily_value = value * scale
    rate = SquareRootImpact(coefficient).rates(np.array([0.3]), np.array([value / daily_value]))[0]
    nodes, weights = np.polynomial.legendre.leggauss(4)
    done = ((nodes + 1.0) / 2.0) ** 2  # q = u^2, dq = 2 u du
    paid = coefficient * 0.3 / 252**0.5 * np.sqrt(done * traded * value / daily_value)
    assert rate * traded**1.5 == pytest.approx(traded * (weights / 2 * paid) @ (nodes + 1.0), rel=1e-10)


def test_a_fee_is_counted_once_for_each_trade_and_not_for_rounding() -> None:
    costs = TradingCosts(np.zeros(2), HELD, fee=0.001)
    assert costs.of(HELD) == 0.0
    assert costs.of(np.array([0.5 + TRADED / 2, 0.5])) == 0.0
    assert costs.of(np.array([0.6, 0.4])) == pytest.approx(0.002)


def test_borrowing_is_no_cost_of_a_trade() -> None:
    costs = TradingCosts(np.zeros(2), HELD, borrow_rate_annual=0.03)
    assert costs.of(np.array([-0.2, 1.2])) == 0.0
    assert costs.first_year(np.array([-0.2, 1.2])) == pytest.approx(0.006)


def test_what_is_given_comes_before_what_is_known() -> None:
    own = CostModel(liquidity={"A": Liquidity(1.0)}, portfolio_value=5.0)
    full = own.completed(7.0, {"A": Liquidity(2.0), "B": Liquidity(3.0)})
    assert full.portfolio_value == 5.0
    assert [full.liquidity[s].daily_value for s in "AB"] == [1.0, 3.0]
    assert CostModel().completed(7.0, {}).portfolio_value == 7.0


@pytest.mark.parametrize(
    ("volume", "shares", "sigma", "permanent", "costs"),
    [(6.561e6, 1728e6, 0.0157, 20, (32, 25, 18)), (1.929e6, 168e6, 0.0226, 22, (43, 32, 23))],
)
def test_published_figures_of_almgren(
    volume: float, shares: float, sigma: float, permanent: int, costs: tuple[int, ...]
) -> None:
    """Almgren et al. 2005, table 3: a tenth of a day's volume of IBM and of DRI, in basis points by days it takes."""
    price, volatility = 50.0, np.full((1, 1), sigma * 252**0.5)
    for days, expected in zip((0.1, 0.2, 0.5), costs, strict=True):
        law = AlmgrenImpact(execution_days=days, shares_outstanding={"X": shares})
        found = law.in_money(("X",), volatility, np.full((1, 1), volume * price))
        traded = 0.1 * volume * price
        moved = float(found.permanent[0, 0]) * traded * price**found.price_power
        assert round(2e4 * moved) == permanent
        assert round(1e4 * (moved + float(found.rates[0, 0]) * traded ** (found.power - 1.0))) == expected


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (CostModel(fixed_fee=1.0), "costs.portfolio_value"),
        (CostModel(impact=SquareRootImpact(1.0), portfolio_value=1.0), "costs.liquidity"),
        (CostModel(LinearCost(by_symbol_bps={"Z": 1.0})), "costs.by_asset[0].symbol"),
        (CostModel(liquidity={"A": Liquidity(1.0), "Z": Liquidity(1.0)}), "costs.liquidity[1].symbol"),
    ],
)
def test_what_does_not_fit_is_named(model: CostModel, field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        model.trading(MOMENTS, HELD, BOTH)
    assert refusal.value.field == field


def test_nonsense_is_refused() -> None:
    for bad in (
        lambda: SquareRootImpact(0.0),
        lambda: AlmgrenImpact(gamma=-1.0),
        lambda: AlmgrenImpact(execution_days=0.0),
        lambda: AlmgrenImpact(shares_outstanding={"A": 0.0}),
        lambda: Liquidity(0.0),
        lambda: Liquidity(1.0, -0.1),
    ):
        with pytest.raises(InvalidInput):
            bad()
    with pytest.raises(InvalidInput):
        CostModel(portfolio_value=float("nan"))


def test_an_optimisation_has_no_law_of_almgren() -> None:
    model = CostModel(impact=AlmgrenImpact(shares_outstanding={"A": 1.0, "B": 1.0}), portfolio_value=1.0)
    with pytest.raises(NotSupported, match="square_root"):
        model.trading(MOMENTS, HELD, BOTH)
