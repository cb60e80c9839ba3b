"""The reasons of errors as Markdown: what the enum says of each, and what docs/api.md says to do about it."""

import re
from collections.abc import Iterator, Sequence

from scripts.site.contract import ProtoFile, Type
from scripts.site.contract_pages import FOLDER, text

PAGE = f"{FOLDER}/errors.md"
ENUM = "absfinance.v1.ErrorReason"
PREFIX = "ERROR_REASON_"

_ROW = re.compile(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def error_page(files: Sequence[ProtoFile], api: str) -> str:
    """A section for each reason; `api` is docs/api.md. Raises ValueError for a reason that its table does not have."""
    (enum,) = (each for file in files for each in file.types if each.name == ENUM)
    lines = ["# Reasons of errors", "", text(enum.comment), "", "[How errors are sent](../api.md#errors).", ""]
    for part in _sections(enum, _table(api)):
        lines += part
    return "\n".join(lines)


def _sections(enum: Type, table: dict[str, tuple[str, str, str]]) -> Iterator[list[str]]:
    for value in enum.values[1:]:
        reason = value.name.removeprefix(PREFIX)
        if reason not in table:
            raise ValueError(f"docs/api.md does not say what to do about {reason}")
        code, action, retry = table[reason]
        # Links of that page are seen from another folder here.
        action = re.sub(r"\]\((?!https?:)", "](../", action)
        yield [
            f"## {reason} {{ #{reason} }}",
            "",
            text(value.comment),
            "",
            f"- Code: {code}",
            f"- What to do: {action}",
            f"- Retry helps: {retry}",
            "",
        ]


def _table(api: str) -> dict[str, tuple[str, str, str]]:
    errors = api.partition("\n## Errors\n")[2].partition("\n## ")[0]
    return {
        reason: (found[2], found[3], found[4])
        for found in _ROW.finditer(errors)
        for reason in re.findall(r"`([A-Z_]+)`", found[1])
    }
