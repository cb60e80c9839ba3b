"""The contract as Markdown: a page for each service and one for each file of messages."""

import html
import re
from collections.abc import Sequence

from scripts.site.contract import Field, ProtoFile, Service, Type

PACKAGE = "absfinance.v1."
FOLDER = "reference"


def reference_pages(files: Sequence[ProtoFile]) -> dict[str, str]:
    """Pages by their path in the documentation."""
    homes = {each.name: file.stem for file in files for each in file.types}
    pages = {
        f"{FOLDER}/{_page(file.stem)}.md": _file_page(file, homes) for file in files if file.types or file.services
    }
    pages[f"{FOLDER}/index.md"] = _index(files)
    return pages


def _index(files: Sequence[ProtoFile]) -> str:
    rows = [
        f"| [{service.name}]({_page(file.stem)}.md) | {text(service.comment)} |"
        for file in files
        for service in file.services
    ]
    others = [f"- [{file.stem}]({_page(file.stem)}.md)" for file in files if not file.services]
    return "\n".join(
        [
            "# Reference of the contract",
            "",
            "Made from the comments and rules of the protos. [The contract in words](../api.md) says which methods "
            "work, and what errors mean.",
            "",
            "| service | what it is for |",
            "|---|---|",
            *rows,
            "",
            "Messages that several services use, by file:",
            "",
            *others,
            "",
        ]
    )


def _file_page(file: ProtoFile, homes: dict[str, str]) -> str:
    title = file.services[0].name if file.services else file.stem
    lines = [f"# {title}", "", f"From `absfinance/v1/{file.stem}.proto`.", ""]
    for service in file.services:
        lines += _service(service, homes)
    for each in file.types:
        lines += _type(each, homes)
    return "\n".join(lines)


def _service(service: Service, homes: dict[str, str]) -> list[str]:
    lines = [text(service.comment), ""]
    for method in service.methods:
        takes, returns = _link(method.request, homes), _link(method.response, homes)
        lines += [f"## {method.name}", "", text(method.comment), ""]
        lines += [f"Takes {takes}, returns {returns}: {method.shape}.", ""]
    return lines


def _type(described: Type, homes: dict[str, str]) -> list[str]:
    name = described.name.removeprefix(PACKAGE)
    lines = [f"## {name} {{ #{_anchor(described.name)} }}", "", text(described.comment), ""]
    if described.values:
        rows = [f"| `{value.name}` | {text(value.comment)} |" for value in described.values]
        return [*lines, "| value | |", "|---|---|", *rows, ""]
    if described.fields:
        rows = [_field(each, homes) for each in described.fields]
        return [*lines, "| field | type | |", "|---|---|---|", *rows, ""]
    return lines


def _field(described: Field, homes: dict[str, str]) -> str:
    kind = _link(described.type, homes) if described.refers else f"{described.type}"
    parts = [text(described.comment)]
    if described.choice:
        parts.append(f"One of `{described.choice}`.")
    if described.rules:
        parts.append(f"Rule: <code>{text(described.rules)}</code>")
    return f"| `{described.name}` | {'list of ' if described.repeated else ''}{kind} | {' '.join(parts)} |"


def _link(name: str, homes: dict[str, str]) -> str:
    short = name.removeprefix(PACKAGE)
    return f"[{short}]({_page(homes[name])}.md#{_anchor(name)})" if name in homes else f"`{name}`"


def _page(stem: str) -> str:
    return stem.replace("_", "-")


def _anchor(name: str) -> str:
    return name.removeprefix(PACKAGE).replace(".", "-")


def text(comment: str) -> str:
    """Safe in a table: nothing in it is taken for markup, but for code between backticks."""
    escaped = html.escape(comment, quote=False)
    for sign in "\\*_[]{}|":
        escaped = escaped.replace(sign, f"&#{ord(sign)};")
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped).replace("`", "&#96;")
