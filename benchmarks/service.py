"""One Optimize of 20 assets over loopback, warm. Run it through scripts/bench service."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from absfin import Client, Moments, min_risk
from market import returns

CALLS = 500
WARM_UP = 50


def main() -> None:
    """Prints median and 99th percentile of wall time, store included."""
    parser = argparse.ArgumentParser(prog="scripts/bench service", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args()
    values = returns(20)
    moments = Moments([f"S{i}" for i in range(20)], values.mean(axis=0), np.cov(values.T), 252)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "server", "--listen", "127.0.0.1:0", "--data-dir", folder]
        with subprocess.Popen([*command, "--log-level", "warning"], stdout=subprocess.PIPE, text=True) as process:
            try:
                ready = process.stdout.readline() if process.stdout else ""
                address = ready.split(" on ")[1].split(",")[0]
                with Client(address) as client:
                    times = sorted([_timed(client, moments) for _ in range(CALLS + WARM_UP)][WARM_UP:])
            finally:
                process.terminate()
    median, worst = statistics.median(times), times[int(0.99 * len(times))]
    if arguments.json:
        print(json.dumps({"job": "optimize_over_loopback/N=20", "median_ms": median, "p99_ms": worst}))
    else:
        print(f"Optimize, 20 assets, over loopback, stored: median {median:.2f} ms, 99 % under {worst:.2f} ms")


def _timed(client: Client, moments: Moments) -> float:
    start = time.perf_counter()
    client.optimize(moments, min_risk())
    return (time.perf_counter() - start) * 1e3


if __name__ == "__main__":
    main()
