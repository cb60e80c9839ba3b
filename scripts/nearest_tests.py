"""Which tests to run for a changed line, and in which order: those that run it, the nearest and fastest first.

A test file is measured once, with the lines that each of its tests runs, when it is first asked for. That is kept on
disk under a name made of the contents of the tree and of the file.
"""

import ast
import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from scripts.executed_lines import Lines, bits, merged
from scripts.forked_tests import FileRecord, TestTree
from scripts.mutants import Mutant, place_of

SIMULATION = Path("domain/backtest/simulation")
"""Compiled, so that no line of it is seen to run: its changes are judged where it runs as Python."""

FOLDERS = {"domain": ("domain", "properties", "reference"), "server": ("server",)}
"""Folders of tests in the process, by the top folder of what is changed."""

OVER_THE_WIRE = {
    "backtest|job|decision": ("backtest", "progress"),
    "simulation|rebalancing|cash_flow|strateg|decision|remote": ("simulation", "strategies"),
    "corporate_action": ("corporate_actions",),
    "cost": ("costs",),
    "market|panel|import|frequency|chunk|file": ("market_data", "corporate_actions"),
    "portfolio|weights|specification": ("portfolios",),
    "reallocat": ("reallocation",),
    "risk_model|factor|estimation": ("risk_model", "factor_model"),
    "risk|measure|stress|validation": ("risk", "risk_report"),
    "optimiz|objective|constraint|market_input|located": ("optimize", "goals"),
    "frontier": ("frontier",),
    "batch|rounds": ("batch",),
    "status|violations|errors|not_built": ("bad_input",),
    "app|assembly|binding|bootstrap|main|interceptors|observability|security|probe|settings": (
        "server/test_startup",
        "lifecycle",
    ),
    "execution|tasks": ("server/execution/test_process_pool", "lifecycle"),
    "results|stored|list|page|retention|housekeeping": ("stored_results",),
    "warning": ("warnings",),
    "reflection": ("reflection",),
}
"""For changes of the server: files of tests/e2e, or of another folder where one is named, by words of the path."""

MEASURE_SECONDS = 120.0
BATCH_SECONDS = (2.0, 8.0, 30.0)
"""Tests of about so many seconds, as measured, run in one process; then more."""
QUICK_SECONDS = 1.0
"""So much of each file runs before the rest of any."""
WIRE_SECONDS = 40.0
"""For a file of tests that start a server."""


@dataclass(frozen=True)
class Batch:
    """Tests that run in one process."""

    tests: dict[str, list[str] | None]  # by file, in order; None is all of a file
    seconds: float  # as measured, with every line noted


class TestMap:
    """The tests of a tree with the lines that each runs."""

    __test__ = False

    def __init__(self, tree: TestTree, kept: Path, say: Callable[[str], None]) -> None:
        """`say` is told of each file that is measured."""
        self._tree, self._kept, self._say = tree, kept, say
        self._root = tree.folder
        self._digest = _digest(self._root, _sources(self._root))
        self._records: dict[tuple[str, bool], FileRecord] = {}

    def batches(self, mutant: Mutant) -> Iterator[Batch]:
        """The tests for a change: those that run it, the nearest first; over the wire; all else of the same files."""
        place = place_of(mutant)
        own = {str(mutant.path): bits(place.lines)}
        wanted = merged(self._naming(place.names), own) if place.names else own
        others: dict[str, dict[str, float]] = {}
        for files in _groups(self._root, mutant.path):
            direct: dict[str, dict[str, float]] = {}
            for file in files:
                direct[file], others[file] = _split(self._record(file, plain=plain(mutant)), wanted)
            for part in _quick_first(_ordered(direct, _mirrored(mutant.path))):
                yield from _batched(part)
        if mutant.path.parts[0] == "server":
            for file in over_the_wire(mutant.path):
                yield Batch({file: None}, WIRE_SECONDS)
        yield from _batched(others)

    def _naming(self, names: tuple[str, ...]) -> Lines:
        """The lines of functions on which a name of a module or class stands."""
        word = re.compile(r"\b(" + "|".join(map(re.escape, names)) + r")\b")
        found: Lines = {}
        for path, lines in self._texts.items():
            if places := [number for number, line in lines if word.search(line)]:
                found[path] = bits(places)
        return found

    @cached_property
    def _texts(self) -> dict[str, list[tuple[int, str]]]:
        """The numbered lines of functions, by path: what a module or class says itself runs with every import."""
        files = [file for folder in FOLDERS for file in (self._root / folder).rglob("*.py")]
        return {str(file.relative_to(self._root)): _function_lines(file) for file in sorted(files)}

    def _record(self, file: str, *, plain: bool) -> FileRecord:
        if (file, plain) not in self._records:
            kind = "plain" if plain else "compiled"
            own = [self._root / file, *_conftests(self._root, file)]
            kept = self._kept / f"{self._digest}-{_digest(self._root, own)}-{kind}.json"
            if not kept.exists():
                record = self._tree.measure(file, MEASURE_SECONDS, plain=plain)
                kept.write_text(record.to_json())
                self._say(f"measured {record.seconds:4.0f} s  {file}{_put_aside(record)}")
            self._records[file, plain] = FileRecord.from_json(kept.read_text())
        return self._records[file, plain]


def plain(mutant: Mutant) -> bool:
    """Whether a change is judged with the simulation run as Python."""
    return mutant.path.is_relative_to(SIMULATION)


def over_the_wire(path: Path) -> list[str]:
    """The files of tests that start a server, for a change of the server."""
    names = [name for words, names in OVER_THE_WIRE.items() if re.search(words, str(path)) for name in names]
    return [
        f"tests/{name}.py" if "/" in name else f"tests/e2e/test_{name}.py" for name in dict.fromkeys((*names, "cases"))
    ]


def _mirrored(path: Path) -> str:
    return str("tests" / path.parent / f"test_{path.stem}.py")


def _groups(root: Path, path: Path) -> Iterator[list[str]]:
    """Files of tests, from the folder that mirrors a path outwards, each once."""
    seen: set[str] = set()
    folders = [Path("tests") / parent for parent in path.parents if parent.parts]
    folders += [Path("tests") / name for name in FOLDERS[path.parts[0]][1:]]
    for folder in folders:
        found = {str(file.relative_to(root)) for file in (root / folder).rglob("test_*.py")} - seen
        if path.is_relative_to(SIMULATION):
            found = {file for file in found if "backtest" in (root / file).read_text()}
        seen |= found
        if found:
            yield sorted(found)


def _sources(root: Path) -> list[Path]:
    """Everything that every test may depend on."""
    folders = ["domain", "server", "clients/python/src", "protos"]
    files = {file for folder in folders for file in (root / folder).rglob("*.py")}
    helpers = {file for file in (root / "tests").rglob("*.py") if not file.name.startswith(("test_", "conftest"))}
    tools = {root / "scripts" / f"{name}.py" for name in ("executed_lines", "forked_tests")}
    return sorted(files | helpers | tools | {root / "tests/conftest.py"})


def _conftests(root: Path, file: str) -> list[Path]:
    """Those that a test file has for itself and its neighbours."""
    found = [root / folder / "conftest.py" for folder in Path(file).parents if len(folder.parts) > 1]
    return [conftest for conftest in found if conftest.exists()]


def _digest(root: Path, files: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for file in files:
        found.update(str(file.relative_to(root)).encode() + file.read_bytes())
    return found.hexdigest()[:16]


def _function_lines(path: Path) -> list[tuple[int, str]]:
    text = path.read_text()
    inside: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside |= set(range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1))
    return [(number, line) for number, line in enumerate(text.splitlines(), start=1) if number in inside]


def _overlap(lines: Lines, wanted: Lines) -> bool:
    return any(lines.get(path, 0) & number for path, number in wanted.items())


def _split(record: FileRecord, wanted: Lines) -> tuple[dict[str, float], dict[str, float]]:
    """The tests of a file that run a line, fastest first, and those that may depend on it in another way; seconds."""
    usable = {name: test for name, test in record.tests.items() if name not in record.failed}
    runs = {name: test.seconds for name, test in usable.items() if _overlap(test.lines, wanted)}
    rest = {name: test.seconds for name, test in usable.items() if name not in runs}
    # What a test keeps for the next ones, as by functools.cache, is seen to run in one of them only.
    return dict(sorted(runs.items(), key=lambda item: item[1])), rest if runs or _overlap(record.shared, wanted) else {}


def _ordered(chosen: dict[str, dict[str, float]], first: str) -> dict[str, dict[str, float]]:
    """Tests by file: those of one file, then those of the fastest."""
    order = sorted(chosen, key=lambda file: (file != first, sum(chosen[file].values())))
    return {file: chosen[file] for file in order}


def _quick_first(
    chosen: dict[str, dict[str, float]],
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Tests by file in two parts: some quick ones of each file, and all others."""
    quick: dict[str, dict[str, float]] = {}
    for file, tests in chosen.items():
        spent = itertools.accumulate(tests.values())
        quick[file] = {name: tests[name] for name, total in zip(tests, spent, strict=True) if total <= QUICK_SECONDS}
    slow = {
        file: {name: one for name, one in tests.items() if name not in quick[file]} for file, tests in chosen.items()
    }
    return quick, slow


def _batched(chosen: dict[str, dict[str, float]]) -> Iterator[Batch]:
    sizes = iter(BATCH_SECONDS)
    size = next(sizes)
    batch: dict[str, list[str] | None] = {}
    seconds = 0.0
    for file, tests in chosen.items():
        if not tests:
            continue
        batch[file] = list(tests)
        seconds += sum(tests.values())
        if seconds >= size:
            yield Batch(batch, seconds)
            batch, seconds, size = {}, 0.0, next(sizes, BATCH_SECONDS[-1])
    if batch:
        yield Batch(batch, seconds)


def _put_aside(record: FileRecord) -> str:
    return "".join(f"\n         put aside, it fails here: {test}" for test in record.failed)
