"""Figures of pages that scripts write: the markers are there, and what is between them was measured."""

from pathlib import Path

import pytest

from scripts.measured import MARKED, STAMP, stamp, write
from tests.conftest import ROOT

PAGES = {"docs/reliability.md": ["scripts/chaos embedded", "scripts/chaos supabase", "scripts/load"]}
UNMEASURED = "Not measured on a quiet machine yet."


@pytest.mark.parametrize("page", PAGES)
def test_pages_have_their_markers(page: str) -> None:
    text = (ROOT / page).read_text()
    found = list(MARKED.finditer(text))
    assert [one["name"] for one in found] == PAGES[page]
    assert len(found) == text.count("<!-- figures of ") == text.count("<!-- end of figures -->")
    for one in found:
        assert (ROOT / one["name"].split()[0]).exists()
        first, _, rest = one["body"].partition("\n")
        if first == UNMEASURED:
            continue
        assert STAMP.match(first)
        rows = [row for row in rest.strip().splitlines() if row.startswith("|")]
        assert len(rows) > 2
        assert rows[1].startswith("|---")


def test_a_script_writes_between_its_own_markers_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    pair = "<!-- figures of {} -->\nold\n<!-- end of figures -->\n"
    page.write_text(f"before\n{pair.format('a')}between\n{pair.format('b')}after\n")
    write(page, "b", "| new |")
    text = page.read_text()
    assert text.startswith(f"before\n{pair.format('a')}between\n")
    assert text.endswith("\n| new |\n<!-- end of figures -->\nafter\n")
    write(page, "b", "| newer |")
    assert "| new |" not in page.read_text()
    with pytest.raises(ValueError, match="0 pairs of markers for c"):
        write(page, "c", "")


def test_the_stamp_names_the_day_and_the_machine() -> None:
    assert STAMP.match(stamp())
