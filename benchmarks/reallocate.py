"""Plans in whole lots: a large account beside a peer, and a batch over the wire. Run it by scripts/bench reallocate."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec

import grpc
import numpy as np
from absfinance.v1.reallocation_service_pb2 import ReallocateBatchRequest, ReallocateBatchResponse
from absfinance.v1.reallocation_service_pb2_grpc import ReallocationServiceStub
from clock import timed
from google.protobuf.json_format import ParseDict
from output import as_json, result_lines
from reallocate_account import DATE, Account, large_account

from domain.costs.linear import LinearCost
from domain.exact import exact
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.modes import Modes
from domain.reallocation.request import Limits, ReallocationRequest, Thresholds
from domain.reallocation.result import Reallocation
from domain.reallocation.tax_terms import TaxAccount, TaxLimits
from domain.taxes.lot_selection import LotMethod
from domain.taxes.lots import TaxLot

ROUNDS = 5
BATCH_ASSETS = 50
FLOOR = 100.0
TURNOVER = 0.12
"""One way, of net asset value: about half of what the target needs."""

TAX_AVERSION = 2.0

LARGEST_GAP = 1e-3


@dataclass(frozen=True)
class Result:
    """One job. The times of an account are CPU time, ours the median of a few rounds; that of a batch is wall time."""

    job: str
    ours_ms: float
    peer: str | None
    peer_ms: float | None
    ratio: float | None
    gap: float  # the largest, as a fraction of the residual drift
    residual_drift: float | None = None
    peer_residual_drift: float | None = None  # in fractions of shares
    accounts_per_second: float | None = None
    not_verified: int = 0


def main() -> None:
    """Prints one line for each job."""
    parser = argparse.ArgumentParser(prog="scripts/bench reallocate", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="small accounts, to see that it runs")
    arguments = parser.parse_args()
    lines = result_lines()
    for result in _results(quick=arguments.quick):
        line = asdict(result)
        text = as_json(line) if arguments.json else "  ".join(f"{key} {value}" for key, value in line.items())
        print(text, file=lines)


def _results(*, quick: bool) -> Iterator[Result]:
    account, rounds = (large_account(20, worth=1e5), 1) if quick else (large_account(500), ROUNDS)
    yield lots_job(account, rounds)
    yield batch_job(10 if quick else 1000)
    request = request_of(account)
    fifo = replace(request.taxes, limits=replace(request.taxes.limits, method=LotMethod.FIFO))
    yield plan_job(account, "/fifo", replace(request, taxes=fifo), rounds)
    weighed = replace(fifo, limits=replace(fifo.limits, gain_budget=None))
    averse = replace(request, taxes=weighed, modes=Modes(tax_aversion=TAX_AVERSION))
    yield plan_job(account, "/fifo_tax_aversion", averse, rounds)
    wide = large_account(40, worth=1e5) if quick else large_account(1000)
    yield plan_job(wide, "/turnover", replace(request_of(wide), taxes=TaxAccount()), rounds)


def plan_job(account: Account, kind: str, request: ReallocationRequest, count: int) -> Result:
    """A plan that no peer is asked for: the median of so many rounds, after one that is not timed."""
    job: Callable[[], Reallocation] = lambda: reallocate(request)  # noqa: E731 - a job of `timed`
    job()
    rounds = [timed(job) for _ in range(count)]
    ours, found = float(np.median([milliseconds for milliseconds, _ in rounds])), rounds[-1][1]
    name = f"reallocate/{account.assets}x{account.tax_lots}lots{kind}"
    return Result(name, ours, None, None, None, found.gap, found.summary.residual_drift)


def lots_job(account: Account, count: int) -> Result:
    """Whole lots with costs, a drift band, participation, a turnover limit and a gain budget, three tax lots each."""
    ours = plan_job(account, "", request_of(account), count)
    peer = peer_of(account)
    if peer is None:
        print("# taxrebalance is not installed and is left out", file=sys.stderr)
        return ours
    theirs, drift = timed(peer)
    label = f"taxrebalance {version('taxrebalance')}"
    return replace(ours, peer=label, peer_ms=theirs, ratio=theirs / ours.ours_ms, peer_residual_drift=drift)


def request_of(account: Account) -> ReallocationRequest:
    """What our side is asked."""
    quotes = {
        symbol: Quote(price, average_daily_volume=volume, spread_bps=spread)
        for symbol, price, volume, spread in zip(
            account.symbols, account.prices, account.volumes, account.spreads_bps, strict=True
        )
    }
    lots: dict[str, list[TaxLot]] = {}
    for i, lot in enumerate(account.lots):
        taxed = TaxLot(f"L{i}", exact(lot.units), exact(lot.unit_cost), lot.purchase_date)
        lots.setdefault(lot.symbol, []).append(taxed)
    limits = TaxLimits(
        method=LotMethod.HIFO, gain_budget=account.worth * 0.002, short_term_rate=0.37, long_term_rate=0.2
    )
    return ReallocationRequest(
        Portfolio({s: units for s, units in zip(account.symbols, account.held, strict=True) if units}, account.cash),
        Snapshot(quotes),
        dict(zip(account.symbols, account.target, strict=True)),
        thresholds=Thresholds(drift_band=0.0005),
        limits=Limits(max_participation=0.1, cash_floor=0.005 * account.worth, max_turnover=TURNOVER),
        costs=LinearCost(5.0),
        horizon_days=2,
        taxes=TaxAccount(lots={s: tuple(each) for s, each in lots.items()}, limits=limits, as_of_date=DATE),
    )


def peer_of(account: Account) -> Callable[[], float] | None:
    """The job of taxrebalance, by its documentation: least tax, cost and risk in fractions of shares; and its drift."""
    if find_spec("taxrebalance") is None:
        return None
    import taxrebalance

    lots = [
        taxrebalance.TaxLot(f"L{i}", lot.symbol, lot.units, lot.unit_cost, (DATE - lot.purchase_date).days)
        for i, lot in enumerate(account.lots)
    ]
    prices = dict(zip(account.symbols, account.prices, strict=True))
    portfolio = taxrebalance.Portfolio.from_tax_lots(lots, prices=prices, cash=account.cash)
    target = dict(zip(account.symbols, account.target, strict=True))
    covariance = account.covariance.tolist()
    config = taxrebalance.RebalanceConfig(
        trading_cost_bps=8.0, max_turnover_fraction=2.0 * TURNOVER, direction_search_budget=25
    )
    policy = taxrebalance.UnitedStatesLots(0.37, 0.2)

    def run() -> float:
        found = taxrebalance.rebalance(
            portfolio, target_weights=target, covariance=covariance, tax_policy=policy, config=config
        )
        return _drift_after(account, found.trades)

    return run


def _drift_after(account: Account, trades: list[Mapping[str, object]]) -> float:
    """Half the sum of absolute differences to the target, costs aside."""
    places = {symbol: i for i, symbol in enumerate(account.symbols)}
    units = np.array(account.held)
    for trade in trades:
        shares = float(str(trade["shares"]))
        units[places[str(trade["ticker"])]] += -shares if str(trade["side"]).upper() == "SELL" else shares
    weights = units * np.array(account.prices) / account.worth
    return 0.5 * float(np.abs(weights - np.array(account.target)).sum())


def batch_job(count: int) -> Result:
    """Accounts of 50 assets in one market, in whole shares, over the wire; every answer is carried out here."""
    made = [large_account(BATCH_ASSETS, seed, worth=100_000.0) for seed in range(count)]
    shared = shared_of(made[0])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "server", "--listen", "127.0.0.1:0", "--data-dir", folder]
        with subprocess.Popen([*command, "--log-level", "warning"], stdout=subprocess.PIPE, text=True) as process:
            try:
                ready = process.stdout.readline() if process.stdout else ""
                with grpc.insecure_channel(ready.split(" on ")[1].split(",")[0]) as channel:
                    stub = ReallocationServiceStub(channel)
                    messages = [message_of(str(i), account) for i, account in enumerate(made)]
                    # All of them: a server that has just started imports its libraries on one core for seconds.
                    list(stub.ReallocateBatch(iter([shared, *messages]), timeout=600))
                    start = time.perf_counter()
                    answers = list(stub.ReallocateBatch(iter([shared, *messages]), timeout=600))
                    seconds = time.perf_counter() - start
            finally:
                process.terminate()
    wrong = count - sum(verified(made[int(answer.key)], made[0], answer) for answer in answers)
    gap = max((answer.result.plan.gap for answer in answers), default=0.0)
    name = f"reallocate/batch={count}x{BATCH_ASSETS}"
    rate = round(count / seconds, 1)
    return Result(name, 1e3 * seconds, None, None, None, gap, accounts_per_second=rate, not_verified=wrong)


def shared_of(account: Account) -> ReallocateBatchRequest:
    """Market, target, limits and costs of all accounts."""
    market = zip(account.symbols, account.prices, account.volumes, account.spreads_bps, strict=True)
    assets = [{"symbol": s, "price": p, "averageDailyVolume": v, "spreadBps": b} for s, p, v, b in market]
    weights = [{"symbol": s, "weight": w} for s, w in zip(account.symbols, account.target, strict=True)]
    shared = {
        "snapshot": {"assets": assets},
        "targetWeights": {"weights": weights},
        "limits": {"cashFloor": FLOOR},
        "costs": {"commissionBps": 5},
    }
    return ParseDict({"shared": shared}, ReallocateBatchRequest())


def message_of(key: str, account: Account) -> ReallocateBatchRequest:
    """Holdings and cash of one account; market and target are those of the first one."""
    message = ReallocateBatchRequest()
    message.account.key = key
    message.account.portfolio.cash = account.cash
    for symbol, units in zip(account.symbols, account.held, strict=True):
        if units:
            message.account.portfolio.holdings.add(symbol=symbol, quantity=units)
    return message


def verified(account: Account, market: Account, answer: ReallocateBatchResponse) -> bool:
    """Whether an answer is a plan in whole shares that the account can pay for."""
    if answer.WhichOneof("outcome") != "result":
        return False
    places = {symbol: i for i, symbol in enumerate(account.symbols)}
    cash, held = account.cash, np.array(account.held)
    for trade in answer.result.plan.trades:
        i = places[trade.symbol]
        held[i] += trade.quantity
        value = trade.quantity * market.prices[i]
        cash -= value + abs(value) * (5.0 + 0.5 * market.spreads_bps[i]) * 1e-4
        if trade.quantity % 1.0 or held[i] < 0.0 or (trade.quantity > 0.0 and cash < FLOOR - 1e-6):
            return False
    plan = answer.result.plan
    return bool(plan.trades) and plan.gap <= LARGEST_GAP and abs(plan.trades[-1].cash_after - cash) <= 1e-6


if __name__ == "__main__":
    main()
