"""Lines that run are noted once, those of the project alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.executed_lines import ExecutedLines, Lines, bits, merged

TEXT = """
def outer(times):
    total = 0
    for i in range(times):
        if i > 1:
            total += inner(i)
    return total


def inner(x):
    if x < 0:
        return 0
    return x
"""


@pytest.fixture
def executed(tmp_path: Path) -> Iterator[ExecutedLines]:
    made = ExecutedLines(tmp_path)
    yield made
    made.stop()


def code(root: Path, file: str) -> dict[str, object]:
    space: dict[str, object] = {}
    exec(compile(TEXT, str(root / file), "exec"), space)  # noqa: S102  # the text above
    return space


def run(executed: ExecutedLines, root: Path, times: int, file: str = "domain/x.py") -> Lines:
    outer = code(root, file)["outer"]
    assert callable(outer)
    executed.start()
    try:
        outer(times)
    finally:
        executed.stop()
    return executed.taken()


@pytest.mark.parametrize(
    ("times", "lines"), [(0, [3, 4, 7]), (1, [3, 4, 5, 7]), (3, [3, 4, 5, 6, 7, 11, 13]), (30, [3, 4, 5, 6, 7, 11, 13])]
)
def test_the_lines_that_run(executed: ExecutedLines, tmp_path: Path, times: int, lines: list[int]) -> None:
    assert run(executed, tmp_path, times) == {"domain/x.py": bits(lines)}


def test_what_was_taken_is_forgotten(executed: ExecutedLines, tmp_path: Path) -> None:
    run(executed, tmp_path, 3)
    assert executed.taken() == {}
    assert run(executed, tmp_path, 0) == {"domain/x.py": bits([3, 4, 7])}


def test_other_files_are_not_looked_at(executed: ExecutedLines, tmp_path: Path) -> None:
    assert run(executed, tmp_path, 3, "tests/x.py") == {}


def test_lines_of_two_tests() -> None:
    assert merged({"a": 1, "b": 2}, {"b": 4, "c": 8}) == {"a": 1, "b": 6, "c": 8}
