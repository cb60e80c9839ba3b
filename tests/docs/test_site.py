"""The site of the documentation: its pages, and that no link of them leads nowhere."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from absfinance.v1 import error_reason_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from scripts.site.contract import proto_files
from scripts.site.error_pages import error_page
from tests.conftest import ROOT

HOME = "https://example.com/abs-finance"
PHONE = 390
# Those with the widest tables, the longest lines of code, and pictures.
ON_A_PHONE = (
    "index.html", "api/index.html", "backtesting/index.html", "cookbook/index.html", "deployment/index.html",
    "performance/index.html", "reference/errors/index.html", "reference/sweep/index.html", "reliability/index.html",
)  # fmt: skip
# Each page in a frame of that width: how wide the frame is inside, and how wide what it shows.
FRAMES = """<!doctype html><body><pre></pre><script>
for (const page of PAGES) {
  const frame = document.createElement("iframe");
  frame.style = "border: 0; height: 844px; width: WIDTHpx";
  frame.src = page;
  document.body.append(frame);
}
addEventListener("load", () => {
  for (const frame of document.querySelectorAll("iframe")) {
    const shown = frame.contentDocument.documentElement;
    document.querySelector("pre").textContent += `${shown.clientWidth} ${shown.scrollWidth}\\n`;
  }
});
</script>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, env=environment)
    assert done.returncode == 0, done.stderr
    return folder


class _Page(HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.places |= {value for value in (named.get("id"), named.get("name")) if value}
        self.links += [value for name in ("href", "src") if (value := named.get(name))]


def _pages(site: Path) -> Iterator[tuple[Path, _Page]]:
    # The page of an address that there is not links from the root of the site's address.
    return ((path, _Page(path)) for path in site.rglob("*.html") if path.name != "404.html")


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = dict(_pages(site))
    assert len(pages) > 100
    missing = [
        f"{path.relative_to(site)}: {link}"
        for path, page in pages.items()
        for link in page.links
        if not _leads_somewhere(link, path, site, pages)
    ]
    assert not missing


def _leads_somewhere(link: str, path: Path, site: Path, pages: dict[Path, _Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme:
        return _is_outside_address(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_relative_to(site.resolve()) or not target.is_file():
        return False
    return not parts.fragment or target.suffix != ".html" or unquote(parts.fragment) in pages[target].places


def _is_outside_address(link: str) -> bool:
    parts = urlsplit(link)
    in_repository = re.fullmatch(rf"{HOME}/(?:tree|blob)/main/(.*)", f"{parts.scheme}://{parts.netloc}{parts.path}")
    if in_repository:
        return (ROOT / in_repository[1]).exists()
    return parts.scheme in ("http", "https") and "." in parts.netloc and " " not in link


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loaded = (
        r"<(?:script|img|iframe)[^>]*\bsrc=\"(https?:[^\"]*)|<link[^>]*rel=\"stylesheet\"[^>]*href=\"(https?:[^\"]*)"
    )
    assert [found for path, _ in _pages(site) for found in re.findall(loaded, path.read_text())] == []


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files, and prints nothing of it."""

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def test_no_page_is_wider_than_a_phone(site: Path, tmp_path: Path) -> None:
    """Tables and code scroll by themselves; a page that is made too wide here shows that this would be noticed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed: no page was looked at")
    (site / "wide.html").write_text("<!doctype html><div style='width: 600px'>wide</div>")
    pages = [*ON_A_PHONE, "wide.html"]
    (site / "frames.html").write_text(FRAMES.replace("PAGES", str(pages)).replace("WIDTH", str(PHONE)))
    flags = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path}",
    ]
    try:
        with _served(site) as address:
            command = [chromium, *flags, "--dump-dom", f"{address}/frames.html"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    finally:
        for name in ("wide.html", "frames.html"):
            (site / name).unlink()
    (measured,) = re.findall(r"<pre>(.*?)</pre>", done.stdout, re.DOTALL)
    widths = [tuple(map(int, line.split())) for line in measured.splitlines()]
    assert len(widths) == len(pages), done.stderr
    assert all(0 < inside <= PHONE for inside, _ in widths)
    assert [page for page, (inside, shown) in zip(pages, widths, strict=True) if shown > inside] == ["wide.html"]


def test_the_reference_has_every_method_and_every_field(site: Path) -> None:
    files = proto_files()
    assert sum(len(service.methods) for file in files for service in file.services) > 50
    for file in files:
        page = site / "reference" / file.stem.replace("_", "-") / "index.html"
        places, text = _Page(page).places, page.read_text()
        for service in file.services:
            assert {method.name.lower() for method in service.methods} <= places
        for described in file.types:
            assert described.name.removeprefix("absfinance.v1.").replace(".", "-") in places
            assert all(f"<code>{each.name}</code>" in text for each in (*described.fields, *described.values))


def test_every_reason_of_an_error_has_a_section(site: Path) -> None:
    page = site / "reference/errors/index.html"
    places, text = _Page(page).places, page.read_text()
    for value in error_reason_pb2.ErrorReason.DESCRIPTOR.values[1:]:
        assert value.name.removeprefix("ERROR_REASON_") in places
    assert "What to do: <code>BadRequest</code> names each field and its rule" in text
    assert "<code>etag</code> in the metadata is the current version" in text


def test_a_reason_that_nobody_explains_is_told() -> None:
    api = (ROOT / "docs/api.md").read_text()
    with pytest.raises(ValueError, match="does not say what to do about ETAG_MISMATCH"):
        error_page(proto_files(), api.replace("| `ETAG_MISMATCH` |", "| `ETAG` |"))


def test_comments_and_rules_are_those_of_the_protos() -> None:
    declared = FileDescriptorProto()
    error_reason_pb2.DESCRIPTOR.CopyToProto(declared)
    (reasons,) = [file for file in proto_files() if file.stem == "error_reason"]
    (enum,) = reasons.types
    assert [value.name for value in enum.values] == [value.name for value in declared.enum_type[0].value]
    assert all(value.comment for value in enum.values)
    (sweep,) = [file for file in proto_files() if file.stem == "sweep"]
    selection = sweep.types[0]
    assert selection.name == "absfinance.v1.SweepSelection"
    assert selection.fields[1].name == "purgePeriods"
    assert selection.fields[1].comment.startswith("Periods left out of the training data before and after")
    assert selection.fields[1].rules == "uint32 { lte: 100000 }"
