"""Runs tests in a fork of a process that has loaded the libraries, but nothing of the project: a start takes little.

Linux only: processes that tests leave behind come to the parent, which ends them.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from scripts.executed_lines import ExecutedLines, Lines, merged

ROOT = Path(__file__).parents[1]
LEFT_BEHIND = (".git", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", "var")
LIBRARIES = (
    *("numpy", "numba", "pandas", "scipy.optimize", "scipy.stats", "scipy.sparse", "scipy.spatial", "scipy.cluster"),
    *("scipy.special", "scipy.linalg", "scipy.integrate", "sklearn.covariance", "sklearn.cluster", "networkx"),
    *("clarabel", "daqp", "piqp", "highspy", "hypothesis", "hypothesis.extra.numpy"),
    *("grpc", "grpc.aio", "grpc_health.v1.health_pb2_grpc", "grpc_reflection.v1alpha.reflection_pb2_grpc"),
    *("google.rpc.status_pb2", "google.rpc.error_details_pb2", "google.protobuf.json_format", "protovalidate"),
    *("psutil", "asyncio", "unittest.mock", "sqlite3", "httpx", "rich"),
)
"""What tests load, of others."""
SET_SUBREAPER = 36
"""Of prctl(2)."""
PLAIN_PYTHON = "NUMBA_DISABLE_JIT"
PASSED, NOTHING_COLLECTED = 0, 5


def load_libraries() -> None:
    """Loads what every fork then has, and takes over the processes that tests leave behind."""
    ctypes.CDLL(None).prctl(SET_SUBREAPER, 1)
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # no fork has to look through what they consist of


@dataclass
class TestRecord:
    """A test as it was measured."""

    __test__ = False

    seconds: float
    lines: Lines


@dataclass
class FileRecord:
    """The tests of a file as they were measured."""

    tests: dict[str, TestRecord] = field(default_factory=dict)
    shared: Lines = field(default_factory=dict)  # run while it loads, or by fixtures of several tests
    failed: list[str] = field(default_factory=list)  # tests that fail where nothing is changed
    seconds: float = 0.0

    @classmethod
    def from_json(cls, text: str) -> "FileRecord":
        """What `to_json` has written."""
        fields = json.loads(text)
        fields["tests"] = {name: TestRecord(**test) for name, test in fields["tests"].items()}
        return cls(**fields)

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Result:
    """How tests ended: passed, failed or timed out; with the first one that failed, where it is known."""

    status: str
    failed: str = ""


class TestTree:
    """A copy of the repository in which tests run."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_BEHIND), dirs_exist_ok=True)
        venv = folder / ".venv"
        if not venv.exists():
            venv.unlink(missing_ok=True)
            venv.symlink_to(sys.prefix)
        self._paths = [str(folder), str(folder / "clients/python/src"), str(folder / "protos/gen/python")]

    def run(
        self,
        chosen: dict[str, list[str] | None],
        limit: float,
        *,
        plain: bool = False,
        aside: frozenset[str] = frozenset(),
    ) -> Result:
        """Runs tests of files, in the order given, until one fails; None stands for all of a file.

        `plain` runs the simulation as Python, where it would be compiled otherwise. Tests `aside` do not run.
        """
        chooser = _Chooser(chosen, aside)
        with tempfile.TemporaryDirectory() as folder:
            note = Path(folder) / "failed"
            arguments = ["-x", *chosen]
            status = self._fork(lambda: _run_pytest(arguments, [chooser, _Note(note)]), limit, plain=plain)
            failed = note.read_text() if note.exists() else ""
        if status is None:
            return Result("timed out", failed)
        return Result("passed" if status in (PASSED, NOTHING_COLLECTED) else "failed", failed)

    def measure(self, file: str, limit: float, *, plain: bool) -> FileRecord:
        """Runs a file with every line noted."""
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            record = Path(folder) / "record"

            def act() -> int:
                recorder = _Recorder(self.folder)
                _run_pytest([file], [recorder])
                record.write_text(recorder.record.to_json())
                return PASSED

            self._fork(act, limit, plain=plain, keep_bytecode=True)
            found = FileRecord.from_json(record.read_text()) if record.exists() else FileRecord(failed=[file])
        found.seconds = time.monotonic() - begun
        return found

    def compile(self) -> None:
        """Compiles the simulation of this tree, and keeps it there."""

        def act() -> int:
            precompile = importlib.import_module("domain.backtest.precompile")
            if not precompile.is_compiled():
                precompile.compile_simulation()
            return PASSED

        if self._fork(act, 300.0, keep_bytecode=True) != PASSED:
            raise SystemExit("the simulation was not compiled")

    def _fork(
        self, act: Callable[[], int], limit: float, *, plain: bool = False, keep_bytecode: bool = False
    ) -> int | None:
        """Acts in a child process in this tree; its status, or None where it takes longer than `limit` seconds."""
        child = os.fork()
        if not child:
            status = 70
            try:
                self._enter(plain=plain, keep_bytecode=keep_bytecode)
                status = act()
            finally:
                os._exit(status)
        try:
            return _status(child, limit)
        finally:
            _end_children()
            shutil.rmtree(self.folder / ".hypothesis", ignore_errors=True)  # no example of another change

    def _enter(self, *, plain: bool, keep_bytecode: bool) -> None:
        """Makes this tree the only one of this process, and of those that it starts."""
        os.setsid()
        with open(os.devnull, "r+") as nothing:
            for stream in range(3):
                os.dup2(nothing.fileno(), stream)
        os.chdir(self.folder)
        for name in [name for name in sys.modules if name.split(".")[0] in ("scripts", "absfin", "absfinance")]:
            del sys.modules[name]
        sys.path[:] = [*self._paths, *(path for path in sys.path if not _is_of_the_project(path))]
        os.environ["PYTHONPATH"] = os.pathsep.join(self._paths)
        sys.dont_write_bytecode = not keep_bytecode
        if not keep_bytecode:
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        if plain:
            os.environ[PLAIN_PYTHON] = "1"
            setattr(importlib.import_module("numba").config, "DISABLE_JIT", 1)  # noqa: B010  # it declares no settings


def _is_of_the_project(path: str) -> bool:
    """Whether a path of imports belongs to the tree that is not changed; the environment may stand inside it."""
    found = Path(path or ".").absolute()
    return found.is_relative_to(ROOT) and not found.is_relative_to(sys.prefix)


def _run_pytest(arguments: list[str], plugins: list[Any]) -> int:
    quiet = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:anyio",
        "--no-header",
        "--tb=no",
        "--timeout=0",
        "-m",
        "not exhaustive and not long",
    ]
    # Its plugins are loaded before it starts, so that it cannot rewrite their assertions.
    quiet += ["-W", "ignore::pytest.PytestAssertRewriteWarning", "--hypothesis-seed=0"]
    return int(pytest.main([*quiet, *arguments], plugins=plugins))


def _status(child: int, limit: float) -> int | None:
    """How a child ends; one that takes too long is ended."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _end_children() -> None:
    """Ends what the tests have left running."""
    while left := psutil.Process().children(recursive=True):
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=10)


class _Chooser:
    """Keeps the chosen tests, in their order."""

    def __init__(self, chosen: dict[str, list[str] | None], aside: frozenset[str]) -> None:
        self._chosen, self._aside = chosen, aside

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        whole = {file for file, tests in self._chosen.items() if tests is None}
        order = {
            test: place for place, test in enumerate(test for tests in self._chosen.values() for test in tests or ())
        }
        items[:] = [item for item in items if item.nodeid in order or item.nodeid.split("::")[0] in whole]
        items[:] = [item for item in items if item.nodeid not in self._aside]
        items.sort(key=lambda item: order.get(item.nodeid, len(order)))
        conftest = sys.modules.get("tests.conftest")
        if conftest is not None:
            # Servers of a change load a library when they need it.
            conftest.COMPLETE = conftest.LIGHT  # type: ignore[attr-defined]  # of that module


class _Note:
    """Writes down the first test that fails."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._file.exists():
            self._file.write_text(report.nodeid)


class _Recorder:
    """Notes the lines and seconds of every test."""

    def __init__(self, root: Path) -> None:
        self.record = FileRecord()
        self._lines = ExecutedLines(root)
        self._lines.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        self._share()
        begun = time.perf_counter()
        done = yield
        self.record.tests[item.nodeid] = TestRecord(time.perf_counter() - begun, self._lines.taken())
        return done

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        made = yield
        if fixturedef.scope != "function":
            self._share()
        return made

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.record.failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self._lines.stop()
        self._share()

    def _share(self) -> None:
        self.record.shared = merged(self.record.shared, self._lines.taken())
