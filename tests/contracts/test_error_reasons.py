"""The published reasons of errors are those that the code can send, and each is explained."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from absfinance.v1.error_reason_pb2 import ErrorReason

from domain import errors as domain

ROOT = Path(__file__).parents[2]
PREFIX = "ERROR_REASON_"
PUBLISHED = {name.removeprefix(PREFIX) for name, number in ErrorReason.items() if number}
UPPER = re.compile(r"[A-Z]+(_[A-Z]+)*")
# Functions that take a reason, in the files that send one.
TAKES_A_REASON = {"_status", "_precondition", "_bad_request", "InvalidInput", "Failure"}


def reasons_in_calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in TAKES_A_REASON:
                arguments = (*node.args, *(keyword.value for keyword in node.keywords))
                texts = (str(a.value) for a in arguments if isinstance(a, ast.Constant))
                yield from filter(UPPER.fullmatch, texts)


def sent() -> set[str]:
    kinds = [k for k in vars(domain).values() if isinstance(k, type) and issubclass(k, domain.DomainError)]
    found = {kind.REASON for kind in kinds}
    for folder in ("domain", "server"):
        for path in (ROOT / folder).rglob("*.py"):
            found.update(reasons_in_calls(path))
    return found


def test_every_reason_that_the_code_sends_is_published() -> None:
    found = sent()
    assert {"METHOD_NOT_BUILT", "NOTHING_TRADABLE", "OVERLOADED"} <= found
    assert found - PUBLISHED == set()


def test_every_published_reason_is_sent_and_explained() -> None:
    assert PUBLISHED - sent() == set()
    text = (ROOT / "docs/api.md").read_text()
    assert {reason for reason in PUBLISHED if f"`{reason}`" not in text} == set()
