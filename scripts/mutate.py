"""Breaks lines on purpose, one at a time, and says which of them no test notices.

A seeded sample of small changes (DeMillo, Lipton & Sayward 1978; scripts/mutants.py lists them): those that come first
by a hash of the change and of the definition around it, so that an edit elsewhere draws no others. Each is made in a
copy of the repository, and the working tree is never touched. A change is judged by the tests that run its line, the
nearest and fastest first, until one fails; one of the server then also by tests over a server that is started from the
copy. Which lines a test runs is measured once and kept under --folder. Changes of the compiled simulation are judged
where it runs as Python. A test that fails for a change runs on the unchanged copy too; if it fails there, it is put
aside.

Outcomes: killed; timed out (a test took many times its time); survived; cut short (it survived for --limit seconds,
and tests were left); not run (no test runs the line). What is not killed is a test that is missing, or a change that
nobody can see; somebody has to look.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.forked_tests import ROOT, TestTree, load_libraries
from scripts.mutants import Mutant, mutants_of, sample_of
from scripts.nearest_tests import Batch, TestMap, plain

START_SECONDS = 15.0
"""A batch may take so long, and several times as long as it was measured to take."""
TIMES = 2.0
NAME_DIGITS = 8
"""A change is printed, and chosen with --only, by the first digits of its rank."""


@dataclass(frozen=True)
class Outcome:
    """What tests make of a change."""

    status: str
    by: str = ""  # the test that has failed


class Judge:
    """Makes changes in a copy, and runs tests there."""

    def __init__(self, tree: TestTree, tests: TestMap, limit: float) -> None:
        self._tree, self._tests, self._limit = tree, tests, limit
        self._passing: set[tuple[str, bool]] = set()
        self._aside: set[tuple[str, bool]] = set()

    def outcome(self, mutant: Mutant) -> Outcome:
        """Runs tests until one fails, none is left or the time is over."""
        spent = 0.0
        ran = False
        for batch in self._tests.batches(mutant):
            if spent > self._limit:
                return Outcome("cut short")
            ran = True
            begun = time.monotonic()
            found = self._run(mutant, batch)
            spent += time.monotonic() - begun
            if found.status != "survived":
                return found
        return Outcome("survived" if ran else "not run")

    def _run(self, mutant: Mutant, batch: Batch) -> Outcome:
        limit = START_SECONDS + TIMES * batch.seconds
        while True:
            aside = frozenset(test for test, how in self._aside if how == plain(mutant))
            with self._changed(mutant):
                result = self._tree.run(batch.tests, limit, plain=plain(mutant), aside=aside)
            if result.status == "passed":
                return Outcome("survived")
            if result.status == "timed out":
                return Outcome("timed out")
            if not result.failed or self._passes(result.failed, plain=plain(mutant)):
                return Outcome("killed", result.failed or "does not load")

    def _passes(self, test: str, *, plain: bool) -> bool:
        """Whether a test passes where nothing is changed."""
        if (test, plain) not in self._passing | self._aside:
            result = self._tree.run({test.split("::")[0]: [test]}, 120.0, plain=plain)
            (self._passing if result.status == "passed" else self._aside).add((test, plain))
        return (test, plain) in self._passing

    @contextmanager
    def _changed(self, mutant: Mutant) -> Iterator[None]:
        file = self._tree.folder / mutant.path
        source, times = file.read_bytes(), file.stat()
        file.write_bytes(mutant.applied(source))
        try:
            yield
        finally:
            file.write_bytes(source)
            # What is compiled of it is told by its time.
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def main() -> int:
    """Prints every change with its outcome, and the count of each."""
    wanted = _arguments()
    files = sorted({file for path in wanted.paths for file in _files(ROOT / path)})
    every = [mutant for file in files for mutant in mutants_of(file.relative_to(ROOT))]
    sample = sample_of(every, wanted.seed, wanted.count)
    load_libraries()
    kept = wanted.folder / "measured"
    kept.mkdir(parents=True, exist_ok=True)
    tree = TestTree(wanted.folder / "tree")
    tree.compile()
    tests = TestMap(tree, kept, lambda text: print(text, flush=True))
    print(f"{len(sample)} of {len(every)} changes in {len(files)} files, seed {wanted.seed}", flush=True)
    judge = Judge(tree, tests, wanted.limit)
    counted: Counter[str] = Counter()
    for mutant in sample:
        name = mutant.rank(wanted.seed)[:NAME_DIGITS]
        if wanted.only and name not in wanted.only:
            continue
        begun = time.monotonic()
        outcome = judge.outcome(mutant)
        counted[outcome.status] += 1
        seconds = time.monotonic() - begun
        print(f"{name} {outcome.status:9} {seconds:4.0f} s  {mutant}  {outcome.by}".rstrip(), flush=True)
    print(", ".join(f"{count} {status}" for status, count in sorted(counted.items())))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400, help="how many changes (default: 400)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    parser.add_argument("--paths", nargs="+", default=["domain", "server"], help="files or folders to change")
    parser.add_argument("--only", nargs="+", help="changes of the sample by name; the others are left out")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of tests for one change (default: 60)")
    folder = Path(tempfile.gettempdir()) / "absfin-mutate"
    parser.add_argument(
        "--folder", type=Path, default=folder, help=f"for the copy and what is kept (default: {folder})"
    )
    return parser.parse_args()


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


if __name__ == "__main__":
    sys.exit(main())
