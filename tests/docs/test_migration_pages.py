"""What docs/migration shows: its programs print what stands there, and that agrees with the other side.

Riskfolio-Lib is installed, so its program runs. The definitions of PyPortfolioOpt and quantstats are written out here,
and the figures of bt and vectorbt were printed by them, as tests/domain/backtest/simulation/test_conventions.py says.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from absfin import Client, Panel, Stored, strategies
from absfin.choices import Measure
from absfin.cli.app import COMMANDS, load
from absfin.cli.csv_files import read_panel
from numpy.typing import NDArray
from scipy.optimize import minimize

from domain.optimization.riskfolio.mean_risk import MEASURES
from tests.conftest import ROOT, RunningServer
from tests.docs.test_pages import METHODS, _table

FOLDER = ROOT / "docs/migration"
PAGES = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.md"))}
SYMBOLS = ("AAPL", "JNJ", "KO", "MSFT", "XOM")
YEAR = 252
BT, VECTORBT = 211.70295181694843, 211.68818380284276
"""What bt 1.4.1 and vectorbt 1.2.0 end with."""


def programs(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGES[page], re.DOTALL)


def ours(page: str) -> str:
    (found,) = (program for program in programs(page) if re.search(r"^from absfin", program, re.MULTILINE))
    return found


def theirs(page: str) -> str:
    (found,) = (program for program in programs(page) if program != ours(page))
    return found


def shown(page: str) -> str:
    (found,) = re.findall(r"prints?:\n\n```\n(.*?)```", PAGES[page], re.DOTALL)
    return str(found)


def printed_by(program: str, server: RunningServer | None = None, *, seconds: float = 110) -> str:
    text = program.replace("127.0.0.1:50051", server.address) if server else program
    command = [sys.executable, "-W", "ignore", "-c", text]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, done.stderr
    return done.stdout


def numbers_after(name: str, line: str) -> list[float]:
    """The numbers after each occurrence of a name in a line."""
    return [float(found) for found in re.findall(rf"\b{re.escape(name)} (-?[\d.]+)", line)]


def line_of(page: str, beginning: str) -> str:
    (found,) = (line for line in shown(page).splitlines() if line.startswith(beginning))
    return found


@pytest.fixture(scope="module")
def prices() -> NDArray[np.float64]:
    """Prices of the symbols from 2018 to 2021, a row for each date."""
    panel = read_panel(ROOT / "data/sp500_stocks.csv.gz")
    days = panel.dates.astype("datetime64[D]").astype(object)
    rows = [date(2018, 1, 1) <= day <= date(2021, 12, 31) for day in days]
    return np.asarray(panel.values[rows][:, [panel.symbols.index(symbol) for symbol in SYMBOLS]])


@pytest.mark.parametrize("page", ["riskfolio", "pyportfolioopt", "backtesters", "flask"])
def test_our_programs_print_what_the_pages_show(sample_server: RunningServer, page: str) -> None:
    assert printed_by(ours(page), sample_server) == shown(page)


@pytest.mark.timeout(200)
def test_riskfolio_prints_the_same() -> None:
    """To the accuracy of its solver."""
    lines = printed_by(theirs("riskfolio"), seconds=170).splitlines()  # it loads for long
    assert len(lines) == len(shown("riskfolio").splitlines()) == 3
    for line in lines:
        expected = line_of("riskfolio", line.partition(":")[0])
        for symbol in SYMBOLS:
            assert numbers_after(symbol, line) == pytest.approx(numbers_after(symbol, expected), abs=2e-4), line


@pytest.mark.parametrize("page", ["pyportfolioopt", "backtesters"])
def test_programs_of_libraries_that_are_not_installed_are_python(page: str) -> None:
    compile(theirs(page), page, "exec")


def long_only(objective: Callable[[NDArray[np.float64]], float]) -> NDArray[np.float64]:
    """Weights that sum to 1, by a solver that is neither theirs nor ours."""
    n = len(SYMBOLS)
    found = minimize(
        objective,
        np.full(n, 1.0 / n),
        method="SLSQP",
        bounds=[(0.0, 1.0)] * n,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1.0},
        options={"ftol": 1e-15, "maxiter": 500},
    )
    assert found.success, found.message
    return np.asarray(found.x)


def test_the_figures_of_pyportfolioopt(prices: NDArray[np.float64]) -> None:
    """`mean_historical_return`, `sample_cov`, `min_volatility` and `max_sharpe` as its source defines them."""
    returns = prices[1:] / prices[:-1] - 1.0
    compounded = (1.0 + returns).prod(axis=0) ** (YEAR / len(returns)) - 1.0
    arithmetic = returns.mean(axis=0) * YEAR
    covariance = np.cov(returns.T) * YEAR

    def ratio(means: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], float]:
        return lambda weights: float(-(means @ weights) / np.sqrt(weights @ covariance @ weights))

    cases = {
        "min_volatility": (long_only(lambda weights: float(weights @ covariance @ weights)), arithmetic),
        "max_sharpe": (long_only(ratio(compounded)), compounded),
        "maxRatio": (long_only(ratio(arithmetic)), arithmetic),
    }
    for name, (weights, means) in cases.items():
        line = line_of("pyportfolioopt", name)
        figures = [means @ weights, np.sqrt(weights @ covariance @ weights)]
        assert numbers_after("return", line) + numbers_after("volatility", line) == pytest.approx(figures, abs=1e-4)
        for symbol, weight in zip(SYMBOLS, weights, strict=True):
            assert (numbers_after(symbol, line) or [0.0]) == pytest.approx([weight], abs=2e-4), (name, symbol)


def test_the_wealth_of_bt_and_vectorbt() -> None:
    for name, wealth in (("bt", BT), ("vectorbt", VECTORBT)):
        assert float(line_of("backtesters", f"{name}:").split()[1]) == pytest.approx(wealth, rel=1e-11)
        assert f"itself ends with {BT:.10f}, vectorbt 1.2.0 with {VECTORBT:.10f}" in PAGES["backtesters"]
    exact = float(line_of("backtesters", "exact:").split()[1])
    told = re.findall(r"that is ([\d.]+) % and ([\d.]+) % of the final value", PAGES["backtesters"])
    assert [tuple(f"{100 * (1 - one / exact):.3f}" for one in (BT, VECTORBT))] == told


def test_the_figures_of_quantstats(sample_server: RunningServer) -> None:
    """Its `sharpe`, `volatility` and `max_drawdown` of the daily returns of the equity."""
    symbols = re.findall(r'SYMBOLS = "(.*?)"', ours("backtesters"))[0].split()
    with Client(sample_server.address) as client:
        done = client.backtest(
            Stored(symbols),
            strategies.equal_weight(),
            rebalancing=strategies.calendar("monthly"),
            fill="same_close",
            commission_bps=10,
            wait_seconds=60,
        )
        equity: Panel = client.backtest_series(done.name, "equity")
    value = equity.values[:, 0]
    returns = value[1:] / value[:-1] - 1.0
    volatility = returns.std(ddof=1) * np.sqrt(YEAR)
    figures = (
        returns.mean() / returns.std(ddof=1) * np.sqrt(YEAR),
        100 * volatility,
        -100 * (value / np.maximum.accumulate(value) - 1.0).min(),
    )
    line = line_of("backtesters", "exact:").replace("%", "")
    printed = [numbers_after(name, line)[0] for name in ("Sharpe", "volatility", "drawdown")]
    assert printed == pytest.approx(figures, abs=6e-5)
    assert done.metrics["total_return"] == pytest.approx((1.0 + returns).prod() * value[0] - 1.0, rel=1e-9)


def test_the_measures_of_riskfolio_are_those_of_the_adapter() -> None:
    table = PAGES["riskfolio"].partition("| `rm` | `risk_measure` | `rm`")[2].partition("\n## ")[0]
    pairs = re.findall(r"`([A-Za-z]+)` \| `(\w+)`", table)
    assert len(pairs) == 24
    assert {theirs for theirs, _ in pairs} == set(MEASURES.values())
    assert {measure for _, measure in pairs} <= set(Measure.__args__)  # type: ignore[attr-defined]  # of a Literal


def test_every_method_that_works_is_in_the_table_of_endpoints() -> None:
    named = set(re.findall(r"`(\w+Service/\w+)`", PAGES["flask"]))
    assert named <= set(METHODS)
    assert {name for name, state in _table().items() if state == "works"} <= named


def test_the_commands_of_the_table_are_there() -> None:
    named = {tuple(command.split()) for text in PAGES.values() for command in re.findall(r"`absfin ([\w -]+)", text)}
    assert {command for command, *_ in named} <= set(COMMANDS)
    assert len(named) > 20
    for command, *more in named:
        within = getattr(load(COMMANDS[command][0]), "commands", None)
        assert within is None or not more or more[0] in within, (command, more)


def test_every_method_of_the_table_of_endpoints_has_a_command() -> None:
    rows = [
        line for line in PAGES["flask"].splitlines() if re.search(r"`\w+Service/\w+`", line) and line.count("|") == 4
    ]
    assert {name for row in rows for name in re.findall(r"`(\w+Service/\w+)`", row)} >= {
        name for name, state in _table().items() if state == "works"
    }
    assert all("`absfin " in row.split("|")[3] for row in rows)


def test_every_code_of_the_errors_has_an_http_status() -> None:
    errors = (ROOT / "docs/api.md").read_text().partition("## Errors")[2].partition("\n## ")[0]
    codes = set(re.findall(r"^\| [^|]*\| ([A-Z_]+) \|", errors, re.MULTILINE))
    mapped = set(re.findall(r"StatusCode\.([A-Z_]+): \d{3}", ours("flask")))
    assert len(codes) > 8
    assert codes - mapped <= {"INTERNAL", "DATA_LOSS", "UNKNOWN"}  # these are 500
