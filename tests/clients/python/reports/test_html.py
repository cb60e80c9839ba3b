"""The HTML file: complete in itself, and no text of it is taken for markup."""

import re
from collections import Counter
from html.parser import HTMLParser

from absfin.reports.document import Picture, Report, Table, section
from absfin.reports.html import html_of

from tests.clients.python.reports.conftest import DARK, HOSTILE, line

VOID = {"meta", "link", "br", "img"}


class Page(HTMLParser):
    """Elements, ids, references and texts of a page; every element must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href"):
                self.references.append(value or "")
            if value and "url(#" in value:
                self.references.append("#" + value.split("url(#")[1].split(")")[0])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_text_is_not_markup(report: Report) -> None:
    page = Page(html_of(report))
    assert page.open == []
    assert page.tags["script"] == 0
    assert page.texts.count(HOSTILE) == 6  # title twice, label, value, note, paragraph


def test_the_file_needs_no_other(report: Report) -> None:
    page = Page(html_of(report))
    assert {reference.split(":")[0] for reference in page.references if not reference.startswith("#")} == {"data"}
    text = html_of(report)
    assert "@import" not in text
    assert "url(http" not in text


def test_ids_are_unique_and_references_find_them(report: Report) -> None:
    page = Page(html_of(report))
    assert page.ids, "the charts of the test have clip paths"
    assert max(Counter(page.ids).values()) == 1
    inner = {reference[1:] for reference in page.references if reference.startswith("#")}
    assert inner
    assert inner <= set(page.ids)


def test_each_chart_is_drawn_for_large_and_small_screens_in_light_and_dark(report: Report) -> None:
    page = Page(html_of(report))
    assert page.tags["figure"] == 3
    assert page.tags["svg"] == 2 * 2 + 4  # the last chart mixes colours, so that each theme has its drawings
    assert sum(text == "Line 1" for text in page.texts) == 2


def test_a_heat_map_is_drawn_once_for_light_and_dark_pages() -> None:
    spec = line(2)
    spec["encoding"] = {
        **line(2)["encoding"],
        "color": {"field": "y", "type": "quantitative", "scale": {"range": "heatmap", "interpolate": "rgb"}},
    }
    text = html_of(Report("title", "", (), (section("Charts", Picture("Heat", spec, DARK)),)))
    assert (text.count("<svg"), text.count('class="both ')) == (2, 2)
    dark = text.split("prefers-color-scheme: dark) { :root {")[1].split("}")[0]
    used = set(re.findall(r"var\((--heatmap-[0-9-]+), rgb", text))
    assert used
    assert used <= set(re.findall(r"(--heatmap-[0-9-]+): #", dark))
    assert "--heatmap-255-255-255: #000000;" in dark  # the least value


def test_sentences_in_cells_are_broken_into_lines() -> None:
    sentence = "cash is below 0 from 2017-07-07 on, and the financing rate is not given"
    table = Table(("warning", ""), (("BORROWING_IS_FREE", sentence), ("OTHER", "3.1 %")))
    page = html_of(Report("title", "", (), (section("Summary", table),)))
    assert f'<td class="prose">{sentence}</td>' in page
    assert "<td>3.1 %</td>" in page


def test_a_fact_and_its_name_stay_together(report: Report) -> None:
    assert "<div><dt>name</dt><dd>backtests/abc</dd></div>" in html_of(report)


def test_tables_have_a_cell_for_each_value(report: Report) -> None:
    page = Page(html_of(report))
    assert page.tags["td"] == 33 * 12
    assert page.tags["th"] == 13 + 33
