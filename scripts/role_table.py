"""Writes the table of roles into docs/api.md, between its marks; run it when server/identity/roles.py changes."""

import re
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/api.md"
MARKS = re.compile(r"(?<=<!-- roles -->\n).*?(?=<!-- /roles -->)", re.DOTALL)


def table() -> str:
    """The rows, a service each, and for each role the methods that need it."""
    from server.identity.roles import ROLES
    from server.ports.identity import Role

    methods: dict[str, dict[Role, list[str]]] = {}
    for path, role in ROLES.items():
        service, method = path.removeprefix("/absfinance.v1.").split("/")
        methods.setdefault(service, {}).setdefault(role, []).append(method)
    lines = [f"| service | {' | '.join(f'`{role.label}`' for role in Role)} |", "|---" * (len(Role) + 1) + "|"]
    for service, by_role in sorted(methods.items()):
        cells = (", ".join(sorted(by_role.get(role, []))) for role in Role)
        lines.append(f"| `{service}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes it."""
    PAGE.write_text(MARKS.sub(lambda _: table(), PAGE.read_text()))


if __name__ == "__main__":
    sys.path.insert(0, str(PAGE.parents[1]))
    main()
