"""Entry point of scripts/chaos."""

import argparse
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
from absfinance.v1.backtest_pb2 import BacktestState
from absfinance.v1.backtest_service_pb2 import GetBacktestRequest, ListBacktestsRequest
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.portfolio_service_pb2 import ListPortfoliosRequest
from absfinance.v1.portfolio_service_pb2_grpc import PortfolioServiceStub

from scripts.chaos_run.callers import OPTIONS, Callers, job
from scripts.chaos_run.faults import Faults, new_server, small_disk
from scripts.chaos_run.ledger import Ledger
from scripts.chaos_run.proxy import Relay
from scripts.measured import write
from tests.supabase_stack import running_stack, why_not

PAGE = Path(__file__).parents[2] / "docs/reliability.md"
STORES = ("embedded", "supabase")
FINAL = ("BACKTEST_STATE_SUCCEEDED", "BACKTEST_STATE_FAILED", "BACKTEST_STATE_CANCELLED")
END_SECONDS = 600.0
"""For the jobs that are left when the last fault is mended."""

JOBS_A_MINUTE = 12
COLUMNS = ("store", "time", "faults", "calls ended with", "acknowledged writes", "jobs", "wrong")
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


def chaos(store: str, seconds: float, seed: int) -> tuple[int, str]:
    """A run on one store; how many things are wrong, and a row of the table of the page."""
    ledger = Ledger()
    with contextlib.ExitStack() as closing:
        stack = closing.enter_context(running_stack("wheel")) if store == "supabase" else None
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="absfin-chaos-")))
        disk = closing.enter_context(small_disk(folder / "disk"))
        # There is no Realtime in a stack of ours: the server looks for changes by itself.
        environment = {**stack.stack.environment, "ABSFIN_REALTIME_URL": "off"} if stack else {}
        server = new_server((disk or folder) / "data", environment)
        closing.callback(server.kill)
        relay = Relay(server.port)
        closing.callback(relay.close)
        chosen = random.Random(seed)  # noqa: S311  # moments, not secrets
        faults = Faults(server, relay, chosen, disk, stack)
        callers = Callers(relay.address, ledger, seed, max(3, round(JOBS_A_MINUTE * seconds / 60)))
        began = time.monotonic()
        callers.start()
        while time.monotonic() < began + seconds:
            time.sleep(chosen.uniform(1.0, 5.0))
            faults.make()
            _print_progress(began, ledger, faults.made)
        callers.end()
        states = _settled(f"127.0.0.1:{server.port}", ledger)
        errors = server.errors()
    return _reported(store, seed, seconds, ledger, faults.made, states, errors)


def _settled(address: str, ledger: Ledger) -> Counter[str]:
    """Compares the ledger with the store once everything is mended; how the jobs have ended."""
    with grpc.insecure_channel(address, options=OPTIONS) as channel:
        jobs: Any = BacktestServiceStub(channel)
        for request_id, kind in ledger.asked.items():
            # A request that nobody answered was stored or was not: the same one says which, and is done once.
            answer = jobs.Backtest(job(kind, request_id), timeout=60, wait_for_ready=True)
            ledger.accepted(request_id, answer.name)
        listed = _wait_for_jobs(jobs, ledger)
        portfolios = _portfolios(channel)
        ledger.compare(portfolios, list(listed))
        _compare_figures(jobs, ledger, listed)
    return Counter(listed.values())


def _wait_for_jobs(jobs: Any, ledger: Ledger) -> dict[str, str]:
    end = time.monotonic() + END_SECONDS
    while True:
        page = jobs.ListBacktests(ListBacktestsRequest(page_size=1000), timeout=60)
        listed = {one.name: BacktestState.Name(one.state) for one in page.backtests}
        running = [name for name, state in listed.items() if state not in FINAL]
        if not running:
            return listed
        if time.monotonic() > end:
            ledger.complain(f"{len(running)} jobs have not ended: {running[:3]}")
            return listed
        time.sleep(1.0)


def _portfolios(channel: grpc.Channel) -> dict[str, float]:
    stub: Any = PortfolioServiceStub(channel)
    found: dict[str, float] = {}
    token = ""
    while True:
        page = stub.ListPortfolios(ListPortfoliosRequest(page_size=1000, page_token=token), timeout=60)
        found |= {one.name: one.cash for one in page.portfolios}
        token = page.next_page_token
        if not token:
            return found


def _compare_figures(jobs: Any, ledger: Ledger, listed: dict[str, str]) -> None:
    """Jobs of one kind have one result, to the bit, whatever happened to them; one that failed says why."""
    first: dict[int, bytes] = {}
    for request_id, name in ledger.jobs.items():
        found = jobs.GetBacktest(GetBacktestRequest(name=name), timeout=60)
        if listed.get(name) == "BACKTEST_STATE_SUCCEEDED":
            found.result.ClearField("compute_duration")
            figures = found.result.SerializeToString(deterministic=True)
            if first.setdefault(ledger.asked[request_id], figures) != figures:
                ledger.complain(f"{name} has other figures than jobs like it")
        elif not found.error.message:
            ledger.complain(f"{name} is {listed.get(name)} and says nothing of why")
        else:
            print(f"  {name}: {found.error.message}")


def _reported(
    store: str, seed: int, seconds: float, ledger: Ledger, made: Counter[str], states: Counter[str], errors: list[str]
) -> tuple[int, str]:
    calls = ", ".join(f"{code} {number}" for code, number in ledger.codes.most_common())
    faults = ", ".join(f"{name} {number}" for name, number in sorted(made.items()))
    ends = ", ".join(f"{name.rpartition('_')[2].lower()} {number}" for name, number in states.most_common())
    wrong = len(ledger.complaints)
    print(f"{store}, seed {seed}, {seconds:.0f} s: {wrong} wrong", f"  calls: {calls}", f"  faults: {faults}", sep="\n")
    print(
        f"  {ledger.writes} acknowledged writes; {len(ledger.jobs)} accepted jobs: {ends}; {len(errors)} errors logged"
    )
    for text in [*ledger.complaints[:20], *errors[:5]]:
        print(f"  {text[:1000]}")
    cells = (store, f"{seconds:.0f} s, seed {seed}", faults, calls, str(ledger.writes), ends, str(wrong))
    return wrong, f"| {' | '.join(cells)} |"


def _print_progress(began: float, ledger: Ledger, made: Counter[str]) -> None:
    past = time.monotonic() - began
    print(f"  {past:.0f} s: {made.total()} faults, {ledger.writes} writes, {len(ledger.jobs)} jobs", file=sys.stderr)


def main() -> int:
    """Ends with status 1 where anything is wrong."""
    parser = argparse.ArgumentParser(
        prog="scripts/chaos",
        description="Mixed load with random faults; what was acknowledged must be stored at the end, and done once.",
    )
    parser.add_argument("--store", choices=(*STORES, "both"), default="both", help="default: both")
    parser.add_argument("--seconds", type=float, default=900.0, help="of faults, on each store (default 900)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same faults and requests")
    parser.add_argument("--docs", action="store_true", help="write the figures into docs/reliability.md")
    given = parser.parse_args()
    total = 0
    for store in STORES if given.store == "both" else (given.store,):
        if store == "supabase" and (cause := why_not("wheel")):
            print(f"supabase: NOT RUN: {cause}")
            continue
        wrong, row = chaos(store, given.seconds, given.seed)
        total += wrong
        if given.docs:
            write(PAGE, f"scripts/chaos {store}", f"{HEAD}\n{row}")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
