"""Generated requests to a real server. Run it through scripts/fuzz."""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from google.protobuf import json_format

from scripts.measured import write
from tests.fuzzing.answers import problems
from tests.fuzzing.callers import call
from tests.fuzzing.contract import new
from tests.fuzzing.run import Finding, Report, Run, loaded, saved
from tests.fuzzing.server import running

SHOWN = 40
PAGE = Path(__file__).parents[1] / "docs/reliability.md"


def fuzz(given: argparse.Namespace, folder: Path) -> int:
    """A run on a fresh server; 1 where it has found anything wrong."""
    with tempfile.TemporaryDirectory(prefix="absfin-fuzz-data-") as data:
        store = Path(data) / "store"
        store.mkdir(mode=0o700)
        with running(store) as watched:
            run = Run(watched, given.seed, given.light, given.callers, given.slack)
            report = run.run(given.count, given.seconds)
            left = watched.left_behind()
            report.complaints += [f"process {one.pid} was left behind" for one in left]
    _print(report, given.seed)
    for path, one in zip(saved(report, folder), report.findings, strict=True):
        _print_finding(one, path)
    for complaint in report.complaints[:SHOWN]:
        print(f"  {complaint}")
    if given.docs:
        write(PAGE, "scripts/fuzz", table(report, given.seed))
    print("nothing is wrong" if report.passed else f"{len(report.findings)} findings in {folder}")
    return 0 if report.passed else 1


def replay(path: Path) -> int:
    """Sends a saved request to a fresh server and prints the request, the answer and what is wrong with it."""
    request = loaded(path)
    for data in request.messages:
        message = new(request.method.request)
        try:
            message.ParseFromString(data)
            print(json_format.MessageToJson(message, preserving_proto_field_name=True)[:8000])
        except Exception as error:  # a request of random bytes need not be a message
            print(f"{len(data)} bytes, no message: {error}")
    with tempfile.TemporaryDirectory(prefix="absfin-fuzz-data-") as data_folder:
        store = Path(data_folder) / "store"
        store.mkdir(mode=0o700)
        with running(store) as watched, watched.channel() as channel:
            answer = call(channel, request.method, request.messages, "replay")
            found = list(problems(request.method, request.messages, answer))
            traces = [line["exception"] for line in watched.lines() if line.get("exception")]
    print(f"{request.method.name}: {answer.code.name} {answer.text}", *traces, *found, sep="\n")
    return 1 if found else 0


def _print(report: Report, seed: int) -> None:
    median, slowest = report.health
    grown = ", ".join(f"{name} {size / 2**20:+.1f} MiB" for name, size in report.growth.items())
    print(f"seed {seed}: {report.sent} requests in {report.seconds:.0f} s; {_counts(report.codes)}")
    for method, codes in sorted(report.by_method.items()):
        print(f"  {method}: {_counts(codes)}")
    print(f"health: median {1e3 * median:.0f} ms, slowest {1e3 * slowest:.0f} ms; memory in the second half: {grown}")


def table(report: Report, seed: int) -> str:
    """The figures of a run as the page of reliability shows them."""
    median, slowest = report.health
    grown = ", ".join(f"{name} {size / 2**20:+.1f} MiB" for name, size in report.growth.items())
    wrong = len(report.findings) + len(report.complaints)
    return "\n".join(
        [
            "| requests | time | answered with | health, median and slowest | memory, second half | wrong |",
            "|---|---|---|---|---|---|",
            f"| {report.sent}, seed {seed} | {report.seconds:.0f} s | {_counts(report.codes)} "
            f"| {1e3 * median:.0f} ms, {1e3 * slowest:.0f} ms | {grown} | {wrong} |",
        ]
    )


def _counts(codes: Counter[str]) -> str:
    return ", ".join(f"{code} {number}" for code, number in codes.most_common())


def _print_finding(one: Finding, path: Path) -> None:
    print(f"{one.request.method.name}: {one.code}: {one.problem[:300]}")
    if one.trace:
        print("    " + "\n    ".join(one.trace.strip().splitlines()[-3:]))
    print(f"    scripts/fuzz --replay {path}")


def main() -> int:
    """Ends with status 1 where anything is wrong."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz",
        description="Sends generated requests to every method of a server of its own and checks every answer.",
    )
    parser.add_argument("count", nargs="?", type=int, default=3000, help="requests to send (default 3000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same requests (default 1)")
    parser.add_argument("--seconds", type=float, default=86400.0, help="stop after this time")
    parser.add_argument("--light", action="store_true", help="most requests are small and refused: many times as many")
    parser.add_argument("--callers", type=int, default=0, help="processes that call (default: threads of this one)")
    parser.add_argument("--slack", type=float, default=1.0, help="so many times as late an answer may be (default 1)")
    parser.add_argument("--folder", type=Path, help="where requests with wrong answers are saved (default: a new one)")
    parser.add_argument("--docs", action="store_true", help="write the figures into docs/reliability.md")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="send one saved request again")
    given = parser.parse_args()
    if given.replay:
        return replay(given.replay)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="absfin-fuzz-"))
    return fuzz(given, folder)


if __name__ == "__main__":
    sys.exit(main())
