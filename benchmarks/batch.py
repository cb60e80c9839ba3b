"""Ten thousand accounts over one universe through the wire. Run it through scripts/bench batch."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import numpy as np
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest, OptimizeBatchResponse
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from google.protobuf.json_format import ParseDict
from market import returns
from numpy.typing import NDArray
from output import as_json, result_lines

ASSETS, GROUPS = 50, 5
FAR = 0.3
"""Of the accounts, how many start further away than they may trade."""

WARM_UP = 400
BOUND, GAP = 1e-8, 1e-7


@dataclass(frozen=True)
class Account:
    """What one account holds, and its message."""

    held: NDArray[np.float64]
    message: OptimizeBatchRequest


def main() -> None:
    """Prints one line."""
    parser = argparse.ArgumentParser(prog="scripts/bench batch", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--accounts", type=int, default=10_000, help="how many")
    parser.add_argument("--quick", action="store_true", help="few accounts, to see that it runs")
    arguments = parser.parse_args()
    count = 50 if arguments.quick else arguments.accounts
    lines = result_lines()
    values = returns(ASSETS)
    covariance = np.cov(values.T)
    made = list(accounts(count, covariance))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "server", "--listen", "127.0.0.1:0", "--data-dir", folder]
        with subprocess.Popen([*command, "--log-level", "warning"], stdout=subprocess.PIPE, text=True) as process:
            try:
                ready = process.stdout.readline() if process.stdout else ""
                with grpc.insecure_channel(ready.split(" on ")[1].split(",")[0]) as channel:
                    stub = OptimizationServiceStub(channel)
                    universe = universe_of(values, covariance)
                    sum(1 for _ in stub.OptimizeBatch(sent(universe, made[:WARM_UP]), timeout=600))
                    start = time.perf_counter()
                    answers = list(stub.OptimizeBatch(sent(universe, made), timeout=600))
                    seconds = time.perf_counter() - start
            finally:
                process.terminate()
    line = checked(made, answers, covariance) | {
        "job": f"batch/accounts={len(made)}",
        "assets": ASSETS,
        "seconds": round(seconds, 3),
        "problems_per_second": round(len(made) / seconds, 1),
    }
    text = as_json(line) if arguments.json else "  ".join(f"{key} {value}" for key, value in line.items())
    print(text, file=lines)


def universe_of(values: NDArray[np.float64], covariance: NDArray[np.float64]) -> OptimizeBatchRequest:
    """Moments, minimum variance, and a band for each group."""
    names = [f"S{i}" for i in range(ASSETS)]
    bands = [
        {
            "label": f"group {k}",
            "groupBounds": {"symbols": [n for i, n in enumerate(names) if i % GROUPS == k], "lower": 0.1, "upper": 0.3},
        }
        for k in range(GROUPS)
    ]
    message = {
        "universe": {
            "moments": {
                "symbols": names,
                "expectedReturns": values.mean(axis=0).tolist(),
                "covariance": covariance.ravel().tolist(),
                "periodsPerYear": 252,
            },
            "spec": {"objective": {"minRisk": {}}, "constraints": [*bands, {"weightBounds": {"upper": 0.1}}]},
        }
    }
    return ParseDict(message, OptimizeBatchRequest())


def accounts(count: int, covariance: NDArray[np.float64]) -> Iterator[Account]:
    """Portfolios at different distances from where they should be: three of ten are further than they may trade."""
    generator = np.random.default_rng(1)
    inverse = 1.0 / np.diag(covariance)
    near = inverse / inverse.sum()
    for i in range(count):
        far = generator.random() < FAR
        share = generator.dirichlet(np.full(ASSETS, 0.5 if far else 4.0))
        held = share if far else 0.5 * near + 0.5 * share
        message = OptimizeBatchRequest()
        message.account.key = str(i)
        for k, weight in enumerate(held.tolist()):
            message.account.current_weights.add(symbol=f"S{k}", weight=weight)
        limit = message.account.constraints.add(label="turnover")
        limit.turnover.max_turnover = 0.6 if far else 0.9
        yield Account(held, message)


def sent(universe: OptimizeBatchRequest, made: list[Account]) -> Iterator[OptimizeBatchRequest]:
    """The stream of a batch."""
    yield universe
    for account in made:
        yield account.message


def checked(
    made: list[Account], answers: list[OptimizeBatchResponse], covariance: NDArray[np.float64]
) -> dict[str, object]:
    """Every answer against its own limits and certificate, recomputed here."""
    bound = failed = unproven = 0
    for answer in answers:
        if answer.WhichOneof("outcome") == "error":
            failed += 1
            continue
        account = made[int(answer.key)]
        weights = np.array([entry.weight for entry in answer.result.weights])
        trades = 0.5 * np.abs(weights - account.held).sum()
        limit = account.message.account.constraints[0].turnover.max_turnover
        bound += any(one.label == "turnover" for one in answer.result.binding)
        sums = [weights[k::GROUPS].sum() for k in range(GROUPS)]
        kept = trades <= limit + BOUND and min(sums) >= 0.1 - BOUND and max(sums) <= 0.3 + BOUND
        kept = kept and weights.max() <= 0.1 + BOUND and weights.min() >= -BOUND
        proven = answer.result.certificate.duality_gap <= GAP
        right = abs(answer.result.risk - weights @ covariance @ weights) <= 1e-9 * answer.result.risk
        unproven += not (kept and proven and right and abs(weights.sum() - 1.0) <= BOUND)
    return {"answered": len(answers), "turnover_binds": bound, "failed": failed, "not_verified": unproven}


if __name__ == "__main__":
    main()
