"""What docs/events.md shows: its program prints what stands below it, and its tables are those of the code."""

import re
import subprocess
import sys

from domain.monitoring.rules import AlarmRule, DrawdownRules, DriftRules, LiquidityRules, PriceRules, VolatilityRules
from domain.monitoring.signals import EventKind
from domain.monitoring.state import MonitorSettings
from server.listeners.change_feed import STORE_SECONDS
from server.listeners.recomputations import LEASE_SECONDS
from server.storage.embedded.event_retention import CHANGE_DAYS, MOST_DAYS
from tests.conftest import ROOT

PAGE = (ROOT / "docs/events.md").read_text()


def test_the_program_prints_what_the_page_shows() -> None:
    block = r"((?:(?!```).)*)```"
    ((program, shown),) = re.findall(rf"```python\n{block}\n\n```\n{block}", PAGE, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown


def test_the_way_of_a_price_leads_through_modules_that_are_there() -> None:
    way = PAGE.partition("## The way of a price")[2].partition("## Watching")[0]
    named = re.findall(r"`((?:server|domain)/\S+)`", way)
    assert len(named) == 14
    assert [name for name in named if not (ROOT / name).is_file()] == []
    assert f"every {STORE_SECONDS:g} seconds" in way
    assert f"lease of {LEASE_SECONDS:g} seconds" in way
    assert f"stay for {CHANGE_DAYS} days after they were read, and for {MOST_DAYS}" in way


def test_every_kind_of_signal_is_in_the_table() -> None:
    table = PAGE.partition("## Signals")[2].partition("\n## ")[0]
    shown = set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE))
    assert shown == {kind.value for kind in EventKind} - {"PRICES", "RESULT_STALE"}


def test_the_defaults_are_those_of_the_rules() -> None:
    rows = re.findall(r"^\| `(\w+)`( of [^|]*)? \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE)
    defaults = {name + part: default for name, part, default in rows}
    assert float(defaults["DRIFT"]) == DriftRules().band.absolute
    volatility = VolatilityRules()
    assert defaults["VOLATILITY"] == f"{volatility.elevated:g}, {volatility.high:g}"
    assert defaults["DRAWDOWN"] == ", ".join(f"{mark.depth:g}" for mark in DrawdownRules().marks)
    liquidity = LiquidityRules()
    assert defaults["LIQUIDITY of `days_to_sell`"] == f"{liquidity.max_days:g} days at {liquidity.participation:g}"
    prices = PriceRules()
    assert defaults["PRICE_STALE"] == f"{prices.max_age_days:g}"
    assert defaults["PRICE_JUMP"] == f"{prices.max_move:g}"
    alarm = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE, re.MULTILINE))
    assert {name: float(value) for name, value in alarm.items()} == {
        name: getattr(AlarmRule(), name) for name in AlarmRule.__slots__
    }
    assert f"moved by more than {100 * MonitorSettings().value_tolerance:g} %" in PAGE
    assert f"λ = {volatility.decay:g} a day" in PAGE
    assert f"{volatility.lookback} returns. Fewer than {volatility.minimum_returns} returns" in PAGE
