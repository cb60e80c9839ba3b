"""Market data that is copied from one store to another: all of it, compared, and resumed where it ended.

Runs the command of docs/storage.md.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from domain.market_data.corporate_actions import CashDividend, CorporateAction, Delisting, Split
from domain.market_data.panel import PricePanel
from server.bootstrap import STORAGE_BACKENDS
from server.ports.corporate_actions import ActionFilter
from server.ports.job_queue import QueuePolicy
from server.ports.market_data import Instrument, PriceField, PriceImport, PriceQuery, TradableState
from server.ports.portfolios import PortfolioDraft
from server.ports.storage import Storage
from server.settings import Settings
from server.storage import market_data_copy
from server.storage.market_data_copy import Copied, CopyDiffers, copy_market_data
from tests.contracts.storage.job_drafts import draft
from tests.supabase_stack import RunningStack

ROOT = Path(__file__).parents[3]
SHOWN = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/storage.md").read_text(), re.DOTALL)[1]
ACTIONS = (
    CorporateAction("A", 10, CashDividend(0.1, 12)), CorporateAction("A", 10, Split(2.0)),
    CorporateAction("B", 900, Delisting(-0.3)),
)  # fmt: skip
INSTRUMENTS = (
    Instrument("A", "A corp.", "CHF", {"sector": "Tech"}, 0.1, TradableState.HALTED, has_prices=True),
    Instrument("B", has_prices=True), Instrument("C", has_prices=True), Instrument("D", "no prices", lot_size=5.0),
)  # fmt: skip
CLOSES = np.random.default_rng(0).uniform(1, 2, (900, 3))
CLOSES[:400, 1] = np.nan
VALUES = 900 * 3 - 400 + 30


@asynccontextmanager
async def opened(folder: Path, stack: RunningStack | None = None) -> AsyncIterator[Storage]:
    settings = Settings.read(("--data-dir", str(folder)), stack.stack.environment if stack else {})
    storage = STORAGE_BACKENDS[settings.storage](settings, QueuePolicy())
    try:
        yield storage
    finally:
        await storage.disconnect()
        storage.release_worker()
        storage.close()


async def fill(storage: Storage) -> None:
    market = storage.market_data
    await market.import_prices(PriceImport("c", PriceField.CLOSE, "", (PricePanel.of("ABC", range(900), CLOSES),)))
    volumes = PricePanel.of("B", range(600, 630), np.arange(30.0) + 1.0)
    await market.import_prices(PriceImport("v", PriceField.VOLUME, "", (volumes,)))
    await market.upsert_instruments(INSTRUMENTS)
    await storage.corporate_actions.upsert(ACTIONS)


async def require_all(storage: Storage) -> None:
    assert (await storage.market_data.list_instruments("", 10, None)).instruments == INSTRUMENTS
    found = (await storage.market_data.prices(PriceQuery(("A", "B", "C")))).panel
    np.testing.assert_array_equal(found.values, CLOSES)
    volumes = (await storage.market_data.prices(PriceQuery(("B",), field=PriceField.VOLUME))).panel
    assert (volumes.dates.tolist(), volumes.values[:, 0].tolist()) == (list(range(600, 630)), list(range(1, 31)))
    assert await storage.corporate_actions.all(ActionFilter()) == ACTIONS


async def test_there_and_back(system_stack: RunningStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_data_copy, "GROUP", 2)
    monkeypatch.setattr(market_data_copy, "PAGE", 3)
    await system_stack.empty()
    async with (
        opened(tmp_path / "old") as old,
        opened(tmp_path / "cache", system_stack) as team,
        opened(tmp_path / "new") as new,
    ):
        await fill(old)
        assert await copy_market_data(old, team) == Copied(4, VALUES, 0, 3)
        await require_all(team)
        assert await copy_market_data(team, new) == Copied(4, VALUES, 0, 3)
        await require_all(new)


async def test_it_goes_on_where_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_data_copy, "GROUP", 1)
    async with opened(tmp_path / "a") as source, opened(tmp_path / "b") as target:
        await fill(source)
        part = PricePanel.of("AB", range(900), CLOSES[:, :2])
        await target.market_data.import_prices(PriceImport("x", PriceField.CLOSE, "", (part,)))
        assert await copy_market_data(source, target) == Copied(4, 900 + 30, 900 + 500, 3)
        await require_all(target)
        assert await copy_market_data(source, target) == Copied(4, 0, VALUES, 3)
        correction = PricePanel.of("A", [5], [99.0])
        await target.market_data.import_prices(PriceImport("y", PriceField.CLOSE, "", (correction,)))
        assert await copy_market_data(source, target) == Copied(4, 900, VALUES - 900, 3), "the source's values count"
        await require_all(target)


async def test_what_only_the_target_has(tmp_path: Path) -> None:
    """Symbols of its own stay; days that the source has not are no copy."""
    async with opened(tmp_path / "a") as source, opened(tmp_path / "b") as target:
        await fill(source)
        own = PricePanel.of("Z", [1], [1.0])
        await target.market_data.import_prices(PriceImport("own", PriceField.CLOSE, "", (own,)))
        await copy_market_data(source, target)
        more = PricePanel.of("AC", [5_000], [[1.0, np.nan]])
        await target.market_data.import_prices(PriceImport("more", PriceField.CLOSE, "", (more,)))
        with pytest.raises(CopyDiffers, match=r"close prices that the source has not, or was changed meanwhile: A$"):
            await copy_market_data(source, target)
        assert await target.market_data.having(PriceField.CLOSE, "Z") == ("Z",)


async def test_an_empty_store(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as source, opened(tmp_path / "b") as target:
        assert await copy_market_data(source, target) == Copied()


def copied(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "server", "storage", "copy", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, env={"PATH": "/usr/bin", **environment}
    )


async def test_the_command(system_stack: RunningStack, tmp_path: Path) -> None:
    await system_stack.empty()
    async with opened(tmp_path / "old") as old:
        await fill(old)
        for owner in ("users/a", "users/b"):
            await old.portfolios.create(owner, PortfolioDraft(b"p", b"", "main"))
            await old.jobs.queue.enqueue(owner, draft(id="waiting"))
    words = shlex.split(SHOWN.replace("DIR", shlex.quote(str(tmp_path / "old"))))
    assert words[:5] == [".venv/bin/python", "-m", "server", "storage", "copy"]
    arguments = words[5:]
    for sent, known in ((VALUES, 0), (0, VALUES)):
        done = copied(*arguments, **system_stack.stack.environment)
        assert done.returncode == 0, done.stderr
        assert f"4 instruments, {sent} values and {known} that were there, 3 corporate actions" in done.stdout
        rows = 2 if sent else 0
        assert f" {rows} + {2 - rows} portfolios, 0 + 0 fills, 0 + 0 optimizations" in done.stdout
        assert "0 + 0 API keys, under the same secret\n2 backtests that were not over are left out\n" in done.stdout
        assert "  backtests/waiting of users/a is QUEUED\n  backtests/waiting of users/b is QUEUED\n" in done.stdout
    async with opened(tmp_path / "cache", system_stack) as team:
        await require_all(team)
        assert (await team.portfolios.get("users/b", "main")).payload == b"p"
        more = PricePanel.of("A", [5_000], [1.0])
        await team.market_data.import_prices(PriceImport("more", PriceField.CLOSE, "", (more,)))
    refused = copied(*arguments, **system_stack.stack.environment)
    assert refused.returncode == 1
    assert "abs-finance: storage copy: the target has close prices that the source has not" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--from", "supabase", "--to", "supabase"), "must be two different stores"),
        (("--from", "embedded", "--to", "supabase", "--data-dir", "DIR"), "SUPABASE_URL"),
    ],
)
def test_what_cannot_be_copied(arguments: tuple[str, ...], text: str, tmp_path: Path) -> None:
    done = copied(*(str(tmp_path) if one == "DIR" else one for one in arguments))
    assert done.returncode == 1
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1
