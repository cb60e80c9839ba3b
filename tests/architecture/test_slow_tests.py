"""The list of the tests that scripts/test leaves out for their time."""

import ast
from functools import cache

import pytest

from tests.families import ROOT, SLOW_TESTS, mark_slow_tests, slow_tests


@cache
def _tests_of(path: str) -> frozenset[str]:
    """Functions, and methods as `Class::method`."""
    found = set[str]()
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, _FUNCTIONS)}
        elif isinstance(node, _FUNCTIONS):
            found.add(node.name)
    return frozenset(found)


_FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef


def test_every_line_names_a_test_that_there_is() -> None:
    gone = [line for line in sorted(slow_tests()) if not _is_there(line)]
    assert not gone, f"{SLOW_TESTS.name} names tests that there are not: take them out, or write their new name"


def _is_there(line: str) -> bool:
    path, _, name = line.partition("::")
    return (ROOT / path).is_file() and name in _tests_of(path)


def test_the_list_is_sorted_and_names_nothing_twice() -> None:
    lines = [line for line in SLOW_TESTS.read_text().splitlines() if line and not line.startswith("#")]
    assert lines == sorted(set(lines))


class Collected:
    """What pytest has collected of a test: keeps the marks that it is given."""

    def __init__(self, nodeid: str) -> None:
        self.nodeid = nodeid
        self.marks: list[str] = []

    def add_marker(self, mark: pytest.MarkDecorator) -> None:
        self.marks.append(mark.name)


def test_cases_of_the_list_get_the_mark_and_no_others() -> None:
    listed = min(slow_tests())
    cases = [Collected(listed), Collected(f"{listed}[5-x::y]"), Collected(f"{listed}_too")]
    mark_slow_tests(cases)  # type: ignore[arg-type]
    assert [case.marks for case in cases] == [["exhaustive"], ["exhaustive"], []]
