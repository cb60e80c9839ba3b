"""What a trial of a sweep costs as assets grow, and the memory it takes. Run it through scripts/bench sweep_cost."""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from absfinance.v1.backtest_service_pb2 import SweepRequest
from google.protobuf.json_format import ParseDict
from output import as_json, result_lines

from server.jobs.backtest_run import Job
from server.jobs.sweep_state import TrialDone
from server.ports.panels import StoredPanelRef
from server.tasks import sweep

DATES, LOOKBACK = 1260, 250
TRIALS = 3

STRATEGIES: Mapping[str, Mapping[str, Any]] = {
    "momentum": {"momentum": {"lookbackPeriods": LOOKBACK, "topN": 10}},
    "min_variance": {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": LOOKBACK}},
}
SIZES = {"momentum": (20, 100, 500, 2000, 10_000), "min_variance": (20, 100, 200, 400)}


@dataclass(frozen=True)
class Result:
    """One strategy on so many assets: the median of the CPU time of a trial, and the most memory so far."""

    job: str
    ours_ms: float
    trials: int
    peak_mb: float


class _Control:
    """Nobody stops a benchmark."""

    def __call__(self) -> None:
        """Goes on."""

    def limit(self, seconds: float) -> None:
        """Sets no limit."""

    def load(self, name: str) -> None:
        """Everything is loaded already."""

    def unlimited(self) -> None:
        """Lifts no limit."""


def results(sizes: Mapping[str, tuple[int, ...]]) -> Iterator[Result]:
    """Every strategy on every number of assets, for five years of daily prices and monthly decisions."""
    with tempfile.TemporaryDirectory() as folder:
        for strategy, counts in sizes.items():
            for assets in counts:
                yield _result(strategy, assets, Path(folder))


def _result(strategy: str, assets: int, folder: Path) -> Result:
    job = Job(_panel(assets, folder), "prices", {}, {}, None, ())
    request = _request(strategy)
    found: list[TrialDone] = []
    times = []
    for trial in range(TRIALS + 1):  # the first one is not counted
        started = time.process_time()
        sweep.run_trials({0: job}, (), request, (trial,), _Control(), found.extend)
        times.append(1e3 * (time.process_time() - started))
    failed = [one.error for one in found if one.error is not None]
    if failed:
        raise RuntimeError(f"{strategy} of {assets} assets: {failed[0]}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Result(f"sweep_cost/{strategy}/{assets}", float(np.median(times[1:])), TRIALS, peak)


def _panel(assets: int, folder: Path) -> StoredPanelRef:
    rng = np.random.default_rng(20261128)
    market, own = rng.normal(3e-4, 0.01, (DATES, 1)), rng.normal(0.0, 0.01, (DATES, assets))
    path = folder / f"{assets}.npy"
    np.save(path, 100.0 * np.exp(np.cumsum(market + own, axis=0)))
    return StoredPanelRef(tuple(f"S{i}" for i in range(assets)), np.arange(DATES, dtype=np.int32), path)


def _request(strategy: str) -> bytes:
    base = {
        "marketData": {"symbols": ["S0"]},
        "strategy": STRATEGIES[strategy],
        "rebalancing": {"everyPeriods": {"n": 21}},
    }
    axis = {"path": "costs.commissionBps", "numbers": {"values": list(range(TRIALS + 1))}}
    request = ParseDict({"grid": {"base": base, "axes": [axis]}}, SweepRequest())
    encoded: bytes = request.SerializeToString()
    return encoded


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="the smallest size of each strategy")
    given = parser.parse_args()
    lines = result_lines()
    for one in results({name: sizes[:1] for name, sizes in SIZES.items()} if given.quick else SIZES):
        text = f"{one.job}: {one.ours_ms:.1f} ms of CPU a trial, at most {one.peak_mb:.0f} MB so far"
        print(as_json(asdict(one)) if given.json else text, file=lines)


if __name__ == "__main__":
    main()
