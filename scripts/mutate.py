"""Breaks lines on purpose, one at a time, and says which of them no test notices.

A seeded sample of small changes (DeMillo, Lipton & Sayward 1978): an operator for another, a number one off, a
condition negated, a statement left out, two arguments swapped. Each is made in a copy of the repository and run
against the nearest tests: those at the mirrored path, then those of the package. The working tree is never touched. A
change that survives is a test that is missing, or one that changes nothing a caller can see; somebody has to look.
"""

import argparse
import ast
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_BEHIND = (".git", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", "var")

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True)
class Mutant:
    """One change of one line."""

    path: Path  # below the root
    start: int  # in the bytes of the file
    end: int
    line: int  # from 1
    before: str
    after: str

    def applied(self, source: bytes) -> bytes:
        """The file with the change in it."""
        return source[: self.start] + self.after.encode() + source[self.end :]

    def __str__(self) -> str:
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        return f"{self.path}:{self.line}  {before}  ->  {after}"


def mutants_of(path: Path) -> list[Mutant]:
    """Every change of a file."""
    source = (ROOT / path).read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node, after in _changes(ast.parse(source)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        before = source[start:end].decode()
        # Inside a parent of whatever binding: brackets keep the meaning of what is around it.
        text = after if isinstance(node, ast.stmt | ast.Constant) else f"({after})"
        found.append(Mutant(path, start, end, node.lineno, before, text))
    return found


def _changes(tree: ast.Module) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    """What could be changed, with what stands there instead."""
    plain = _without_words(tree)
    for node in plain:
        match node:
            case ast.BinOp(left, op, right) if type(op) in SWAPPED and not _is_type(node):
                yield node, ast.unparse(ast.BinOp(left, SWAPPED[type(op)](), right))  # type: ignore[arg-type]  # an operator
            case ast.Compare(left, [op], [right]):
                yield node, ast.unparse(ast.Compare(left, [SWAPPED[type(op)]()], [right]))  # type: ignore[list-item]  # likewise
            case ast.BoolOp(op, values):
                yield node, ast.unparse(ast.BoolOp(SWAPPED[type(op)](), values))  # type: ignore[arg-type]  # likewise
            case ast.UnaryOp(ast.Not() | ast.USub(), operand):
                yield node, ast.unparse(operand)
            case ast.Constant(bool() as value):
                yield node, repr(not value)
            case ast.Constant(int() as value):
                yield node, repr(value + 1)
            case ast.Constant(float() as value):
                yield node, repr(value * 2.0 if value else 1.0)
            case ast.If(test):
                yield test, f"not ({ast.unparse(test)})"
            case ast.Call(func, [first, second, *rest], keywords) if _order_matters(func, first, second):
                yield node, ast.unparse(ast.Call(func, [second, first, *rest], keywords))
            case ast.Assign() | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
                yield node, "pass"
            case ast.Expr(ast.Call() | ast.Await()):
                yield node, "pass"


def _without_words(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes of functions but their signatures, annotations, and what only makes a text."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                waiting += node.body
            case ast.AnnAssign():
                waiting += [node.value] if node.value is not None else []
            case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.Subscript(ast.Name("Literal")):
                pass
            case _:
                waiting += ast.iter_child_nodes(node)


def _is_type(node: ast.BinOp) -> bool:
    """Whether it joins types, as in isinstance(x, int | float)."""
    return isinstance(node.op, ast.BitOr) and all(
        isinstance(side, ast.Name | ast.Attribute) and ast.unparse(side).split(".")[-1][:1].isupper()
        for side in (node.left, node.right)
    )


def _order_matters(func: ast.expr, first: ast.expr, second: ast.expr) -> bool:
    """Whether a call is another one with its first two arguments swapped."""
    name = ast.unparse(func).split(".")[-1]
    return name not in ("max", "min", "maximum", "minimum") and ast.dump(first) != ast.dump(second)


def nearest_tests(path: Path) -> list[list[str]]:
    """The tests to run, in their order: the mirrored file, then those of its package, or of the first one above."""
    folder = Path("tests") / path.parent
    mirrored = folder / f"test_{path.stem}.py"
    while not (ROOT / folder).is_dir():
        folder = folder.parent
    # At the top of domain or server, a folder with all below it would take an hour.
    top = sorted(str(file.relative_to(ROOT)) for file in (ROOT / folder).glob("test_*.py"))
    package = top if len(folder.parts) == 2 else [str(folder)]
    return [[str(mirrored)], package] if (ROOT / mirrored).exists() else [package]


class Copy:
    """A copy of the repository in which tests run."""

    def __init__(self, folder: Path, limit: float) -> None:
        self._folder, self._limit = folder, limit
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_BEHIND), dirs_exist_ok=True)
        os.symlink(ROOT / ".venv", folder / ".venv")
        python_path = os.pathsep.join([str(folder), str(folder / "clients/python/src")])
        self._environment = os.environ | {"PYTHONPATH": python_path, "PYTHONDONTWRITEBYTECODE": "1"}

    def outcome(self, mutant: Mutant) -> str:
        """What the nearest tests make of a change: killed, survived or timed out."""
        file = self._folder / mutant.path
        source = file.read_bytes()
        file.write_bytes(mutant.applied(source))
        try:
            for step in nearest_tests(mutant.path):
                status = self.run(step)
                if status != "survived":
                    return status
            return "survived"
        finally:
            file.write_bytes(source)

    def run(self, tests: list[str]) -> str:
        """Runs tests in a group of processes of their own, so that nothing they start outlives the time limit."""
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not exhaustive", "--hypothesis-profile", "all"]
        command += ["-p", "no:cacheprovider", "--no-header", "--tb=no", *tests]
        process = subprocess.Popen(  # noqa: S603  # our own command
            command,
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            status = process.wait(self._limit)
        except subprocess.TimeoutExpired:
            return "timed out"
        finally:
            # Also what its tests have started, and also where this program is interrupted.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
        # 5: nothing was collected there.
        return "survived" if status in (0, 5) else "killed"


def main() -> int:
    """Prints every mutant with its outcome, and the count of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="how many changes (default: 400)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    parser.add_argument("--paths", nargs="+", default=["domain", "server"], help="files or folders to change")
    parser.add_argument("--limit", type=float, default=240.0, help="seconds for one run of tests (default: 240)")
    wanted = parser.parse_args()
    files = sorted({file for path in wanted.paths for file in _files(ROOT / path)})
    every = [mutant for file in files for mutant in mutants_of(file.relative_to(ROOT))]
    sample = random.Random(wanted.seed).sample(every, min(wanted.count, len(every)))  # noqa: S311  # no secret
    print(f"{len(sample)} of {len(every)} changes in {len(files)} files, seed {wanted.seed}", flush=True)
    counted: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="absfin-mutate-") as folder:
        copy = Copy(Path(folder), wanted.limit)
        for number, mutant in enumerate(sample, start=1):
            begun = time.monotonic()
            outcome = copy.outcome(mutant)
            counted[outcome] += 1
            print(f"{number:4} {outcome:12} {time.monotonic() - begun:5.0f} s  {mutant}", flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items())))
    return 0


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


if __name__ == "__main__":
    sys.exit(main())
