"""Portfolios that papers print, from the papers' own inputs, to the digits they print."""

import numpy as np
import pytest

from domain.market_data.moments import Moments
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import ReturnFloor, WeightBounds
from domain.optimization.request.objectives import (
    EqualWeight,
    MaxDiversification,
    MaxRatio,
    MaxReturn,
    MinRisk,
    Objective,
    RiskBudget,
)
from domain.optimization.solve import solve

# Bailey & Lopez de Prado 2013, "An open-source implementation of the critical-line algorithm for portfolio
# optimization", Algorithms 6(1), 169-196: the ten assets of its numerical example.
CLA_MEANS = [1.175, 1.19, 0.396, 1.12, 0.346, 0.679, 0.089, 0.73, 0.481, 1.08]
CLA_COVARIANCE = np.loadtxt(
    [
        "0.40755159 0.03175842 0.05183923 0.05663904 0.0330226 0.00827775 0.02165938 0.01332419 0.0343476 0.02249903",
        "0.03175842 0.9063047 0.03136385 0.02687256 0.01917172 0.00934384 0.02495043 0.00761036 0.02874874 0.01336866",
        "0.05183923 0.03136385 0.19490901 0.04408485 0.03006772 0.01322738 0.03525971 0.0115493 0.0427563 0.02057303",
        "0.05663904 0.02687256 0.04408485 0.19528471 0.02777345 0.00526665 0.01375808 0.00780878 0.02914176 0.01640377",
        "0.0330226 0.01917172 0.03006772 0.02777345 0.34059105 0.00777055 0.02067844 0.00736409 0.02542657 0.01284075",
        "0.00827775 0.00934384 0.01322738 0.00526665 0.00777055 0.15983874 0.02105575 0.00518686 0.01723737 0.00723779",
        "0.02165938 0.02495043 0.03525971 0.01375808 0.02067844 0.02105575 0.68056711 0.01377882 0.04627027 0.01926088",
        "0.01332419 0.00761036 0.0115493 0.00780878 0.00736409 0.00518686 0.01377882 0.95526918 0.0106553 0.00760955",
        "0.0343476 0.02874874 0.0427563 0.02914176 0.02542657 0.01723737 0.04627027 0.0106553 0.31681584 0.01854318",
        "0.02249903 0.01336866 0.02057303 0.01640377 0.01284075 0.00723779 0.01926088 0.00760955 0.01854318 0.11079287",
    ]
)
CLA = Moments.of([f"X{i}" for i in range(1, 11)], CLA_MEANS, CLA_COVARIANCE, 1.0)

# Its table of turning points: expected return and risk.
TURNING_POINTS = [
    (1.180, 0.546),
    (1.160, 0.417),
    (1.108, 0.265),
    (1.022, 0.230),
    (1.015, 0.228),
    (0.973, 0.220),
    (0.950, 0.216),
    (0.803, 0.205),
]


def weights(moments: Moments, objective: Objective) -> np.ndarray:
    return solve(Problem(moments, objective)).weights


def test_the_highest_return_is_its_second_asset() -> None:
    solution = solve(Problem(CLA, MaxReturn()))
    assert (solution.expected_return_annual, round(solution.volatility_annual, 3)) == (1.190, 0.952)


@pytest.mark.parametrize(("expected_return", "risk"), TURNING_POINTS)
def test_risk_on_the_critical_line(expected_return: float, risk: float) -> None:
    solution = solve(Problem(CLA, MinRisk(), constraints=(ReturnFloor("floor", expected_return),)))
    # The table's return is rounded as well: half a unit of it moves the risk by up to 3e-3 at the steep end.
    slope = 0.0035 if expected_return > 1.15 else 0.0006
    assert solution.volatility_annual == pytest.approx(risk, abs=slope)


def test_its_least_variance_and_its_best_sharpe_ratio() -> None:
    least = solve(Problem(CLA, MinRisk()))
    assert round(least.volatility_annual, 4) == 0.2052
    assert round(solve(Problem(CLA, MaxRatio())).ratio or 0.0, 4) == 4.4535


# Maillard, Roncalli & Teiletche 2010, "The properties of equally weighted risk contribution portfolios", Journal of
# Portfolio Management 36(4): the first numerical example, weights in percent.
ERC_VOLATILITIES = np.array([0.1, 0.2, 0.3, 0.4])
ERC_CORRELATION = np.array([[1, 0.8, 0, 0], [0.8, 1, 0, 0], [0, 0, 1, -0.5], [0, 0, -0.5, 1]])
ERC = Moments.of("ABCD", np.zeros(4), ERC_CORRELATION * np.outer(ERC_VOLATILITIES, ERC_VOLATILITIES), 1.0)

ERC_TABLE = [
    (RiskBudget(), [38.4, 19.2, 24.3, 18.2], 10.3),
    (MinRisk(), [74.5, 0.0, 15.2, 10.3], 8.6),
    (EqualWeight(), [25.0, 25.0, 25.0, 25.0], 11.5),
]


@pytest.mark.parametrize(("objective", "percent", "volatility"), ERC_TABLE)
def test_the_example_of_equal_risk_contributions(objective: Objective, percent: list[float], volatility: float) -> None:
    solution = solve(Problem(ERC, objective))
    assert 100 * solution.weights == pytest.approx(percent, abs=0.051)
    assert round(100 * solution.volatility_annual, 1) == volatility


# Choueifaty, Froidure & Reynier 2013, "Properties of the most diversified portfolio", J. of Investment Strategies 2(2):
# two assets of 20 % and 10 % volatility with correlation 1/2.
PAIR = Moments.of("AB", np.zeros(2), [0.04, 0.01, 0.01, 0.01], 1.0)


def test_the_most_diversified_pair() -> None:
    assert weights(PAIR, MaxDiversification()) == pytest.approx([1 / 3, 2 / 3], abs=1e-9)
    assert weights(PAIR, MinRisk()) == pytest.approx([0.0, 1.0], abs=1e-9)
    assert weights(PAIR, RiskBudget()) == pytest.approx([1 / 3, 2 / 3], abs=1e-9)


def test_polarity_of_the_most_diversified_portfolio() -> None:
    """The same paper, the core property: assets held have one and the same correlation to it, others a higher one."""
    found = weights(CLA, MaxDiversification())
    covariance = np.asarray(CLA.covariance)
    to_portfolio = covariance @ found / np.sqrt(np.diag(covariance) * (found @ covariance @ found))
    held = found > 1e-9
    assert to_portfolio[held] == pytest.approx(np.full(held.sum(), to_portfolio[held].mean()), abs=1e-9)
    assert (to_portfolio[~held] >= to_portfolio[held].mean() - 1e-9).all()


def test_least_variance_between_bounds_by_hand() -> None:
    """Three independent assets of variances 1, 2, 4: free weights go as 4, 2, 1; under a cap the rest goes as 2, 1."""
    moments = Moments.of("ABC", np.zeros(3), np.diag([1.0, 2.0, 4.0]), 1.0)
    assert weights(moments, MinRisk()) == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    capped = solve(Problem(moments, MinRisk(), constraints=(WeightBounds("cap", upper=0.5),)))
    assert capped.weights == pytest.approx([1 / 2, 1 / 3, 1 / 6])
    floored = solve(Problem(moments, MinRisk(), constraints=(WeightBounds("floor", lower=0.2),)))
    assert floored.weights == pytest.approx([8 / 15, 4 / 15, 1 / 5])
