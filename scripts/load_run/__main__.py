"""Entry point of scripts/load."""

import argparse
import sys
from pathlib import Path

from scripts.load_run.jobs import QUICK, Sizes, growth, mixed, start, streams, unary
from scripts.measured import write

PAGE = Path(__file__).parents[2] / "docs/reliability.md"
JOBS = ("start", "unary", "mixed", "streams", "growth")


def main() -> int:
    """Prints a table, and writes it into the page where it is told to."""
    parser = argparse.ArgumentParser(
        prog="scripts/load",
        description="Measures servers of its own under load: start, throughput, each method, streams, memory.",
    )
    parser.add_argument("jobs", nargs="*", choices=[*JOBS, []], metavar="JOB", help=f"{', '.join(JOBS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="little of each, to see that it runs")
    parser.add_argument("--seconds", type=float, help="of the mixed load (default 600)")
    parser.add_argument("--docs", action="store_true", help="write the figures into docs/reliability.md")
    given = parser.parse_args()
    if given.docs and (given.quick or given.jobs):
        parser.error("--docs writes the figures of all jobs: leave --quick and the names of jobs out")
    sizes = QUICK if given.quick else Sizes()
    if given.seconds:
        sizes = Sizes(sizes.unary_seconds, given.seconds, sizes.streams, sizes.growth_calls, sizes.idle_seconds)
    rows, methods = ["| what | figure |", "|---|---|"], []
    for name in given.jobs or JOBS:
        if name == "mixed":
            added, methods = mixed(sizes)
        else:
            added = {"start": start, "unary": unary, "streams": streams, "growth": growth}[name](sizes)
        rows += added
        print(*added, sep="\n", flush=True)
    table = ["| method | answered | p50, ms | p99, ms |", "|---|---|---|---|", *methods] if methods else []
    print(*table, sep="\n")
    if given.docs:
        write(PAGE, "scripts/load", "\n".join([*rows, "", *table]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
