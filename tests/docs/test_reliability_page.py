"""The tests that docs/reliability.md names are there."""

import re

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs/reliability.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def test_every_fault_names_a_test() -> None:
    section = PAGE.partition("\n## Faults\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!fault|---)(.*) \|$", section, re.M)
    assert len(rows) >= 18
    assert [row for row in rows if "::test_" not in row] == []


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_named_test_is_there(path: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.M)
