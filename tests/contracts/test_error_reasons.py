"""The published reasons of errors are those that the code can send, and each is explained."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from absfinance.v1.error_reason_pb2 import ErrorReason

from domain import errors as domain
from server.converters.status import code_of
from server.ports import errors as service

ROOT = Path(__file__).parents[2]
PREFIX = "ERROR_REASON_"
PUBLISHED = {name.removeprefix(PREFIX) for name, number in ErrorReason.items() if number}
UPPER = re.compile(r"[A-Z]+(_[A-Z]+)*")
# Functions that take a reason, in the files that send one.
TAKES_A_REASON = {"_status", "_precondition", "_bad_request", "InvalidInput", "Failure"}
ROW = re.compile(r"\| (`[A-Z_`, ]+`) \| ([^|]*) \| [^|]* \| ([^|]*) \|")
# Reasons without a class of their own: their code and whether a retry helps.
WITHOUT_A_CLASS = {
    "TRIGGER_LOOP": ("INVALID_ARGUMENT", "no"),
    "WEIGHTS_LOOK_LIKE_PERCENT": ("INVALID_ARGUMENT", "no"),
    "METHOD_NOT_BUILT": ("UNIMPLEMENTED", "no"),
    "INTERNAL": ("INTERNAL", "no"),
    "NOTHING_TRADABLE": ("none: `failure` of a reallocation", "no"),
    "CASH_NOT_RAISED": ("none: `failure` of a reallocation", "no"),
}


def errors_of_the_engine() -> list[type[domain.DomainError]]:
    kinds = (k for k in vars(domain).values() if isinstance(k, type) and issubclass(k, domain.DomainError))
    return [kind for kind in kinds if kind is not domain.DomainError]


def errors_of_the_server() -> list[type[service.ServiceError]]:
    kinds = (k for k in vars(service).values() if isinstance(k, type) and issubclass(k, service.ServiceError))
    return [kind for kind in kinds if kind is not service.ServiceError]


def reasons_in_calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in TAKES_A_REASON:
                arguments = (*node.args, *(keyword.value for keyword in node.keywords))
                texts = (str(a.value) for a in arguments if isinstance(a, ast.Constant))
                yield from filter(UPPER.fullmatch, texts)


def sent() -> set[str]:
    found = {kind.REASON for kind in (*errors_of_the_engine(), *errors_of_the_server())}
    for folder in ("domain", "server"):
        for path in (ROOT / folder).rglob("*.py"):
            found.update(reasons_in_calls(path))
    return found


def documented() -> list[tuple[str, tuple[str, str]]]:
    """Reason, code and whether a retry helps, of each row of the table in docs/api.md."""
    text = (ROOT / "docs/api.md").read_text().partition("## Errors")[2].partition("\n## ")[0]
    rows = (ROW.fullmatch(line) for line in text.splitlines())
    return [(reason, (row[2], row[3])) for row in rows if row for reason in re.findall(r"[A-Z_]+", row[1])]


def test_every_reason_that_the_code_sends_is_published() -> None:
    found = sent()
    assert {"METHOD_NOT_BUILT", "NOTHING_TRADABLE", "OVERLOADED"} <= found
    assert found - PUBLISHED == set()


def test_every_published_reason_is_sent() -> None:
    assert PUBLISHED - sent() == set()


def test_the_table_of_errors_agrees_with_the_classes() -> None:
    expected = dict(WITHOUT_A_CLASS)
    for engine in errors_of_the_engine():
        expected[engine.REASON] = (code_of(engine), "yes" if engine.RETRYABLE else "no")
    for kind in errors_of_the_server():
        expected[kind.REASON] = (code_of(kind), kind.RETRY_HELPS)
    rows = documented()
    assert len(rows) == len(dict(rows))
    assert dict(rows) == expected
    assert expected.keys() == PUBLISHED
