"""Hooks of MkDocs: pages that are written elsewhere in the repository, and links that leave the documentation.

In the repository each page links to files, so that its links work where the repository is read. On the site a link to a
file that is a page leads to that page, and one to any other file to the repository.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from posixpath import normpath, relpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from scripts.site.contract import ROOT, proto_files
from scripts.site.contract_pages import FOLDER, reference_pages
from scripts.site.error_pages import PAGE, error_page

ELSEWHERE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "performance.md",
    "clients/python/README.md": "clients/python.md",
    "clients/typescript/README.md": "clients/typescript.md",
    "clients/go/README.md": "clients/go.md",
    "clients/java/README.md": "clients/java.md",
    "clients/rust/README.md": "clients/rust.md",
    "clients/web/README.md": "clients/web.md",
    "clients/conformance/README.md": "clients/conformance.md",
    "data/README.md": "data.md",
}
"""Pages by where they are written, where they are there."""

REFERENCE = "Reference"
"""The part of the navigation that is filled with the pages of the contract."""

_LINK = re.compile(r"\[([^][]*)\]\((?!https?://|mailto:|#)([^)\s#]*)(#[^)\s]*)?\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fills the navigation with the pages of the contract."""
    for part in config.nav or []:
        if REFERENCE in part:
            first = [f"{FOLDER}/index.md", PAGE]
            part[REFERENCE] = [*first, *sorted(set(_reference()) - set(first))]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that docs/ does not have."""
    for source, path in _elsewhere():
        files.append(File.generated(config, path, content=(ROOT / source).read_text()))
    for path, content in _reference().items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links between files of the repository into links between pages."""
    path = page.file.src_uri
    source = _sources().get(path, f"docs/{path}")
    if path.startswith(f"{FOLDER}/"):
        return markdown
    repository = str(config.repo_url).rstrip("/")

    def on_site(found: re.Match[str]) -> str:
        target = normpath(f"{source}/../{found[2]}")
        text = _title(target) if found[1].endswith(".md") else found[1]
        return f"[{text}]({_address(target, path, files, repository)}{found[3] or ''})"

    return _outside_code(markdown, on_site)


def _outside_code(markdown: str, replacement: Any) -> str:
    parts, end = list[str](), 0
    for fence in _FENCE.finditer(markdown):
        parts += [_LINK.sub(replacement, markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, _LINK.sub(replacement, markdown[end:])])


def _address(target: str, page: str, files: Files, repository: str) -> str:
    """Of a file of the repository, seen from a page."""
    on_site = ELSEWHERE.get(target, target.removeprefix("docs/") if target.startswith("docs/") else "")
    if on_site and files.get_file_from_path(on_site):
        return relpath(on_site, Path(page).parent.as_posix())
    if not (ROOT / target).exists():
        return target  # MkDocs refuses what leads nowhere
    return f"{repository}/{'tree' if (ROOT / target).is_dir() else 'blob'}/main/{target}"


@cache
def _title(page: str) -> str:
    """What a page is called where a link only says its file."""
    first = (ROOT / page).read_text().partition("\n")[0] if (ROOT / page).is_file() else page
    return first.removeprefix("# ")


@cache
def _reference() -> dict[str, str]:
    files = proto_files()
    return {**reference_pages(files), PAGE: error_page(files, (ROOT / "docs/api.md").read_text())}


def _elsewhere() -> Iterator[tuple[str, str]]:
    return ((source, path) for source, path in ELSEWHERE.items() if (ROOT / source).is_file())


@cache
def _sources() -> dict[str, str]:
    return {path: source for source, path in _elsewhere()}
