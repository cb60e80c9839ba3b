import pytest
from absfin.reports.document import Paragraph, Report, Table, section, with_content


def test_a_row_needs_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError, match="a cell for each column"):
        Table(("a", "b"), (("1", "2"), ("3",)))


def test_pictures_keep_their_order(report: Report) -> None:
    assert [picture.title for picture in report.pictures()] == ["Line 0", "Line 1", "Line 2"]


def test_sections_without_blocks_are_left_out() -> None:
    kept = with_content(section("empty", None), section("full", None, Paragraph("text")))
    assert [(one.heading, len(one.blocks)) for one in kept] == [("full", 1)]
