"""What docs/migration/skfolio.md shows: our program prints what stands there, and that is what other solvers find.

The figures of skfolio were printed by skfolio 1.12.2, which is no dependency of the tests; its definitions are written
out here.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from absfin import Client, Stored, hierarchical, min_risk
from absfin.choices import Measure
from absfin.cli.csv_files import read_panel
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.optimize import linprog, minimize
from scipy.spatial.distance import squareform

from tests.conftest import ROOT, RunningServer

PAGE = (ROOT / "docs/migration/skfolio.md").read_text()
THEIRS, OURS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(SHOWN,) = re.findall(r"prints:\n\n```\n(.*?)```", PAGE, re.DOTALL)
SYMBOLS = ("AAPL", "JNJ", "KO", "MSFT", "XOM")
TAIL = 0.05
Weights = NDArray[np.float64]


@pytest.fixture(scope="module")
def returns() -> NDArray[np.float64]:
    """Returns of the symbols from 2018 to 2021, a row for each date."""
    panel = read_panel(ROOT / "data/sp500_stocks.csv.gz")
    days = panel.dates.astype("datetime64[D]").astype(object)
    rows = [date(2018, 1, 1) <= day <= date(2021, 12, 31) for day in days]
    prices = np.asarray(panel.values[rows][:, [panel.symbols.index(symbol) for symbol in SYMBOLS]])
    return prices[1:] / prices[:-1] - 1.0


def weights_in(line: str) -> list[float]:
    return [float(re.findall(rf"\b{symbol} ([\d.]+)", line)[0]) for symbol in SYMBOLS]


def shown(name: str) -> list[float]:
    (line,) = (line for line in SHOWN.splitlines() if line.startswith(f"{name}:"))
    return weights_in(line)


def long_only(objective: Callable[[Weights], float]) -> Weights:
    found = minimize(
        objective,
        np.full(len(SYMBOLS), 1.0 / len(SYMBOLS)),
        method="SLSQP",
        bounds=[(0.0, 1.0)] * len(SYMBOLS),
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1.0},
        options={"ftol": 1e-15, "maxiter": 500},
    )
    assert found.success, found.message
    return np.asarray(found.x)


def least_cvar(returns: NDArray[np.float64]) -> Weights:
    """Rockafellar and Uryasev (2000), as a linear program in the weights, the quantile and the losses beyond it."""
    dates, assets = returns.shape
    costs = np.concatenate([np.zeros(assets), [1.0], np.full(dates, 1.0 / (TAIL * dates))])
    beyond = np.hstack([-returns, -np.ones((dates, 1)), -np.eye(dates)])
    whole = np.concatenate([np.ones(assets), np.zeros(1 + dates)])[None]
    bounds = [(0.0, None)] * assets + [(None, None)] + [(0.0, None)] * dates
    found = linprog(costs, A_ub=beyond, b_ub=np.zeros(dates), A_eq=whole, b_eq=[1.0], bounds=bounds)
    assert found.success, found.message
    return np.asarray(found.x[:assets])


def risk_parity(covariance: NDArray[np.float64]) -> Weights:
    """Spinu (2013): the minimiser of x'Vx/2 - sum log x, scaled to sum 1."""
    scaled = covariance / np.diag(covariance).mean()
    start = 1.0 / np.sqrt(np.diag(scaled))
    found = minimize(
        lambda x: x @ scaled @ x / 2 - np.log(x).sum(),
        start,
        jac=lambda x: scaled @ x - 1.0 / x,
        method="L-BFGS-B",
        bounds=[(1e-6, None)] * len(start),
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    return np.asarray(found.x / found.x.sum())


def hierarchical_risk_parity(returns: NDArray[np.float64]) -> Weights:
    """Lopez de Prado (2016) over Ward's clusters: halves of the ordered leaves share by their inverse variances."""
    covariance = np.cov(returns.T)
    distances = np.sqrt(np.clip((1.0 - np.corrcoef(returns.T)) / 2.0, 0.0, None))
    np.fill_diagonal(distances, 0.0)
    condensed = squareform(distances, checks=False)
    order = leaves_list(linkage(condensed, "ward", optimal_ordering=True)).tolist()

    def variance(members: list[int]) -> float:
        within = covariance[np.ix_(members, members)]
        inverse = 1.0 / np.diag(within)
        return float(inverse @ within @ inverse / inverse.sum() ** 2)

    weights = np.ones(len(order))
    parts = [order]
    while parts:
        members = parts.pop()
        if len(members) > 1:
            left, right = members[: len(members) // 2], members[len(members) // 2 :]
            fraction = variance(right) / (variance(left) + variance(right))
            weights[left] *= fraction
            weights[right] *= 1.0 - fraction
            parts += [left, right]
    return weights


def test_our_program_prints_what_the_page_shows(sample_server: RunningServer) -> None:
    program = OURS.replace("127.0.0.1:50051", sample_server.address)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert (done.returncode, done.stdout) == (0, SHOWN), done.stderr


def test_the_program_of_the_library_is_python() -> None:
    compile(THEIRS, "skfolio", "exec")
    names = re.findall(r'^    "([\w ]+)": ', THEIRS, re.MULTILINE)
    assert names == re.findall(r'^        "([\w ]+)": ', OURS, re.MULTILINE)
    assert names == [line.partition(":")[0] for line in SHOWN.splitlines()]


def test_the_weights_are_those_of_the_definitions(returns: NDArray[np.float64]) -> None:
    means, covariance = returns.mean(axis=0), np.cov(returns.T)
    found = {
        "least CVaR": least_cvar(returns),
        "best ratio": long_only(lambda weights: float(-(means @ weights) / np.sqrt(weights @ covariance @ weights))),
        "utility": long_only(lambda weights: 252 * float(1.5 * weights @ covariance @ weights - means @ weights)),
        "risk parity": risk_parity(covariance),
        "HRP": hierarchical_risk_parity(returns),
    }
    for name, weights in found.items():
        assert shown(name) == pytest.approx(weights, abs=1e-4), name
    (theirs,) = re.findall(r"but for `best ratio: (.*?)`", PAGE)
    assert weights_in(theirs) == pytest.approx(found["best ratio"], abs=2e-4)


def test_the_figures_of_the_differences(sample_server: RunningServer) -> None:
    stored = Stored(SYMBOLS, start=date(2018, 1, 1), end=date(2021, 12, 31))
    with Client(sample_server.address) as client:
        least, single = (client.optimize(stored, goal).weights["AAPL"] for goal in (min_risk(), hierarchical("hrp")))
    assert f"the least variance has {least:.4f} of AAPL" in PAGE
    assert f"{single:.4f} of AAPL instead of {shown('HRP')[0]:.4f}" in PAGE


def test_each_measure_of_the_table_is_one_of_ours() -> None:
    table = PAGE.partition("| `RiskMeasure` | `risk_measure` |")[2].partition("\n## ")[0]
    pairs = re.findall(r"`([A-Z_]+)` \| `(\w+)`", table)
    assert len(pairs) == 14
    assert {measure for _, measure in pairs} <= set(Measure.__args__)  # type: ignore[attr-defined]  # of a Literal
