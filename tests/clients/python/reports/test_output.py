from pathlib import Path

import pytest
from absfin.reports import FORMATS, Report, UnsupportedFormat, write_report

STARTS = {".html": b"<!DOCTYPE html>", ".pdf": b"%PDF-", ".png": b"\x89PNG"}


@pytest.mark.parametrize("ending", FORMATS)
def test_the_ending_says_how_a_report_is_written(report: Report, tmp_path: Path, ending: str) -> None:
    for path in (tmp_path / f"sheet{ending}", tmp_path / f"SHEET{ending.upper()}"):
        write_report(report, path)
        assert path.read_bytes().startswith(STARTS[ending])


@pytest.mark.parametrize(("name", "message"), [("a.docx", "'.docx' files"), ("report", "'report' has no ending")])
def test_other_endings_are_refused(report: Report, tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(UnsupportedFormat, match=message):
        write_report(report, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_file_that_cannot_be_replaced_stays_as_it_was(report: Report, tmp_path: Path) -> None:
    (taken := tmp_path / "sheet.html").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_report(report, taken)
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.html"]  # nothing is left beside it
