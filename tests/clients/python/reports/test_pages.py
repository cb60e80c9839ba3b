"""PDF and PNG files, read back by other programs."""

import io
import struct

from absfin.reports.document import Report
from absfin.reports.pages import pages_of
from pypdf import PdfReader

from tests.clients.python.reports.conftest import HOSTILE


def text_of(content: bytes) -> tuple[int, str]:
    """Number of pages, and their text without the spaces, which lines break differently."""
    pages = PdfReader(io.BytesIO(content)).pages
    return len(pages), "".join("".join(page.extract_text() for page in pages).split())


def test_a_pdf_has_all_text_as_it_is(report: Report) -> None:
    count, text = text_of(pages_of(report, "pdf"))
    assert count >= 2
    assert text.count("".join(HOSTILE.split())) >= 4
    assert "Sharperatio1.234net" in text
    assert all(f"{year}0.0%0.1%" in text for year in range(1990, 2023))
    assert all(f"Line{i}" in text for i in range(3))  # the titles within the charts


def test_a_png_is_one_page_as_high_as_the_report(report: Report) -> None:
    content = pages_of(report, "png")
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    assert width == 1191  # 210 mm at 144 pixels per inch
    assert height > 1.5 * width
