"""Impact of planned trades: published numbers, and a simulation of the prices."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import norm

from domain.checks import Matrix
from domain.costs.impact import EXECUTED, SquareRootImpact
from domain.errors import InvalidInput
from domain.reallocation.impact import ImpactCoefficients, PlannedValues, ThreeHalvesImpact, simulate_impact

YEAR = 252.0


@dataclass(frozen=True)
class Published2005:
    """Almgren, Thum, Hauptmann and Li 2005, written from the paper: I = gamma sigma (X/V) (Theta/V)^(1/4), J = I/2 +
    eta sigma (X/(VT))^(3/5)."""

    shares: float
    days: float

    def in_money(
        self, symbols: tuple[str, ...], volatilities_annual: Matrix, daily_values: Matrix
    ) -> ImpactCoefficients:
        sigma = volatilities_annual / math.sqrt(YEAR)
        permanent = 0.5 * 0.314 * sigma / daily_values * (self.shares / daily_values) ** 0.25
        return ImpactCoefficients(0.142 * sigma / (daily_values * self.days) ** 0.6, 1.6, permanent, 0.25)


@pytest.mark.parametrize(
    ("volume", "shares", "sigma", "permanent", "costs"),
    [
        (6_561_000.0, 1_728_000_000.0, 0.0157, 20, {0.1: 32, 0.2: 25, 0.5: 18}),  # IBM
        (1_929_000.0, 168_000_000.0, 0.0226, 22, {0.1: 43, 0.2: 32, 0.5: 23}),  # DRI
    ],
)
def test_the_published_examples_of_2005(
    volume: float, shares: float, sigma: float, permanent: int, costs: dict[float, int]
) -> None:
    price = 40.0
    for days, cost in costs.items():
        planned = PlannedValues(
            ("A",), np.array([[-0.1 * volume * price]]), np.array([price]), np.array([sigma * math.sqrt(YEAR)]),
            np.array([volume * price]), day_length=days,
        )  # fmt: skip
        found = simulate_impact(planned, Published2005(shares, days))
        value = 0.1 * volume * price
        assert round(found.permanent_bps[0]) == permanent
        assert round(found.mean / value * 1e4) == cost
        assert found.temporary_bps[0] + found.permanent_bps[0] / 2 == pytest.approx(found.mean / value * 1e4)
        assert found.standard_deviation == pytest.approx(value * sigma * math.sqrt(days / 3.0))


def test_the_three_halves_power_is_the_square_root_law() -> None:
    volatility, daily, value = 0.32, 4e6, 1e6
    planned = PlannedValues(("A",), np.array([[value]]), np.array([7.0]), np.array([volatility]), np.array([daily]))
    found = simulate_impact(planned, ThreeHalvesImpact(EXECUTED * 1.5))
    # (2/3) x 1.5 x 0.32 / sqrt(252) x sqrt(1/4)
    assert found.mean == pytest.approx(value * 0.16 / math.sqrt(252.0))
    rates = SquareRootImpact(1.5).rates(np.array([volatility]), np.array([value / daily]))
    assert found.mean == pytest.approx(value * rates[0])
    assert found.permanent_bps[0] == 0.0


def test_trades_of_several_days_pay_for_themselves_and_for_the_move_of_all() -> None:
    one = PlannedValues(("A",), np.array([[8e5]]), np.ones(1), np.ones(1), np.array([1e6]))
    four = PlannedValues(("A",), np.full((4, 1), 2e5), np.ones(1), np.ones(1), np.array([1e6]))
    at_once, spread = (simulate_impact(planned, ThreeHalvesImpact(1.0)) for planned in (one, four))
    assert spread.mean == pytest.approx(at_once.mean / 2.0)
    law = Published2005(1e8, 1.0)
    assert simulate_impact(four, law).permanent_bps == pytest.approx(simulate_impact(one, law).permanent_bps)


def test_mean_and_variance_are_those_of_simulated_prices() -> None:
    rng = np.random.default_rng(11)
    values = np.array([[-3e4, 1e4], [-1e4, 0.0], [-2e4, 3e4]])
    sigma, correlation = np.array([0.3, 0.2]), np.array([[1.0, 0.6], [0.6, 1.0]])
    planned = PlannedValues(("A", "B"), values, np.array([50.0, 20.0]), sigma, np.array([1e6, 2e6]), correlation)
    found = simulate_impact(planned, ThreeHalvesImpact(1.0))
    paths, steps = 20_000, 100  # steps in a day
    daily = np.linalg.cholesky(correlation * np.outer(sigma, sigma) / YEAR)
    cost, moved = np.zeros(paths), np.zeros((paths, 2))
    for value in values:
        impact = (sigma / math.sqrt(YEAR) / np.sqrt([1e6, 2e6]) * np.abs(value) ** 1.5).sum()
        cost += impact
        for _ in range(steps):
            half = rng.normal(size=(paths, 2)) @ daily.T / math.sqrt(steps)
            cost += (moved + 0.5 * half) @ (value / steps)
            moved += half
    assert found.mean == pytest.approx(cost.mean(), abs=4.0 * found.standard_deviation / math.sqrt(paths))
    assert found.standard_deviation == pytest.approx(cost.std(), rel=0.02)


def test_quantiles_are_those_of_the_normal() -> None:
    planned = PlannedValues(("A",), np.array([[1e5]]), np.ones(1), np.array([0.3]), np.array([1e6]))
    found = simulate_impact(planned, ThreeHalvesImpact(1.0))
    quantiles = found.quantiles(0.05, 0.5, 0.95)
    for level, cost in quantiles.items():
        assert cost == pytest.approx(norm.ppf(level, found.mean, found.standard_deviation))
    assert quantiles[0.5] == found.mean


def test_what_is_not_traded_costs_nothing() -> None:
    planned = PlannedValues(("A",), np.zeros((2, 1)), np.ones(1), np.ones(1), np.ones(1))
    found = simulate_impact(planned, Published2005(1e8, 1.0))
    assert (found.mean, found.variance, found.temporary_bps[0], found.permanent_bps[0]) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"values": np.ones((1, 3))}, "values"),
        ({"values": np.array([[1.0, np.nan]])}, "values[1]"),
        ({"prices": np.array([1.0, 0.0])}, "prices[1]"),
        ({"daily_values": np.array([0.0, 1.0])}, "daily_values[0]"),
        ({"volatilities_annual": np.array([1.0, -1.0])}, "volatilities_annual[1]"),
        ({"volatilities_annual": np.ones(1)}, "volatilities_annual"),
        ({"correlation": np.ones(2)}, "correlation"),
        ({"day_length": 0.0}, "day_length"),
        ({"symbols": ("A", "A")}, "symbols[1]"),
    ],
)
def test_what_is_no_plan(change: dict[str, object], field: str) -> None:
    ones = np.ones(2)
    given = {
        "symbols": ("A", "B"), "values": np.ones((1, 2)), "prices": ones, "volatilities_annual": ones,
        "daily_values": ones,
    } | change  # fmt: skip
    with pytest.raises(InvalidInput) as caught:
        PlannedValues(**given)  # type: ignore[arg-type]
    assert caught.value.field == field
    planned = PlannedValues(("A",), np.ones((1, 1)), np.ones(1), np.ones(1), np.ones(1))
    with pytest.raises(InvalidInput):
        simulate_impact(planned, ThreeHalvesImpact(1.0)).quantile(1.0)
