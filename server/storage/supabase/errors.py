"""What an answer of PostgREST that is no success stands for.

A function of the schema refuses by `absfin.refuse(reason, detail)`, which arrives as the code ABSFN with the reason as
message and a JSON object as details. Everything else is the database, PostgREST or what stands before them.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from domain.errors import InvalidInput
from server.observability import logger
from server.ports.errors import (
    AlreadyExists,
    EtagMismatch,
    LostClaim,
    NotFound,
    Overloaded,
    RequestIdReused,
    StillRunning,
    StorageFull,
    StorageUnavailable,
)
from server.ports.jobs import BACKTESTS, SWEEPS
from server.storage.files import WHAT_TO_DELETE
from server.storage.job_refusals import named
from server.storage.texts import text_of_kept

REFUSED = "ABSFN"

UNREACHABLE = "the database cannot be reached"

_PASSING_STATUS = frozenset({408, 429, 502, 503, 504, *range(520, 528)})
"""Of PostgREST without its database, and of gateways without PostgREST."""

_PASSING_CODES = frozenset({"40001", "40P01", "53300", "55P03", "57P01", "57P02", "57P03", "PGRST000", "PGRST001", "PGRST002", "PGRST003"})  # fmt: skip  # noqa: E501
"""Conflicts of transactions, too many connections, a lock, a database that stops or starts, one that is not reached.

https://www.postgresql.org/docs/current/errcodes-appendix.html
https://docs.postgrest.org/en/v12/references/errors.html
"""

_READ_ONLY = "25006"
"""How a hosted project answers writes when its disk is full."""


class FunctionRefused(Exception):
    """A function of the schema refused for a reason that its store alone knows."""

    def __init__(self, reason: str, detail: Mapping[str, Any]) -> None:
        super().__init__(reason, dict(detail))
        self.reason = reason
        self.detail = detail


class Passing(Exception):
    """A call may succeed when it is made again; `error` is what it stands for otherwise."""

    def __init__(self, error: StorageUnavailable) -> None:
        super().__init__(str(error))
        self.error = error


def _reused(detail: Mapping[str, Any]) -> RequestIdReused:
    return RequestIdReused(detail.get("field", "request_id"), text_of_kept(detail["request_id"]))


_REASONS: Mapping[str, Callable[[Mapping[str, Any]], Exception]] = {
    "NOT_FOUND": lambda detail: NotFound(*named(detail["kind"], detail["name"])),
    "ALREADY_EXISTS": lambda detail: AlreadyExists(*named(detail["kind"], detail["name"])),
    "REQUEST_ID_REUSED": _reused,
    "ETAG_MISMATCH": lambda detail: EtagMismatch(detail["message"], detail["etag"]),
    "STILL_RUNNING": lambda detail: StillRunning(detail["message"].replace(BACKTESTS + SWEEPS, SWEEPS)),
    "OVERLOADED": lambda detail: Overloaded(detail["message"]),
    "STORAGE_FULL": lambda detail: StorageFull(detail["message"]),
    "STORAGE_UNAVAILABLE": lambda detail: StorageUnavailable(detail["message"]),
    "INVALID_INPUT": lambda detail: InvalidInput(detail["field"], detail["rule"]),
    "LOST_CLAIM": lambda _: LostClaim(),
}
"""Reasons that mean the same to every store, with what their detail must have."""


def error_of(response: httpx.Response) -> Exception:
    """The error of an answer that is no success: of a port, FunctionRefused, or Passing."""
    body = _body(response)
    code, message = str(body.get("code") or ""), str(body.get("message") or response.reason_phrase)
    if code == REFUSED:
        detail = json.loads(body.get("details") or "{}")
        known = _REASONS.get(message)
        return known(detail) if known else FunctionRefused(message, detail)
    logger.error("the store refused a call", extra={"status": response.status_code, "code": code, "why": message})
    if code in ("53100", _READ_ONLY):
        return StorageFull(f"the disk of the database is full: {WHAT_TO_DELETE}, or give it more space")
    if code == "54000" or response.status_code == 413:
        return StorageFull("the data is larger than what the store takes in one piece; send less at once")
    if code in _PASSING_CODES or code.startswith("08") or (response.status_code in _PASSING_STATUS and code != "57014"):
        return Passing(StorageUnavailable(UNREACHABLE))
    return StorageUnavailable(_text(code, response.status_code))


def error_of_transport(error: httpx.TransportError) -> Passing:
    """What stands for an answer that did not come."""
    logger.warning("the store did not answer", extra={"why": f"{type(error).__name__}: {error}"})
    return Passing(StorageUnavailable(UNREACHABLE))


def _text(code: str, status: int) -> str:
    if code == "57014":
        return "the database took too long for one step; ask for less at once"
    if code == "PGRST106":
        return "absfin is not among the exposed schemas of the project: run scripts/migrate, add it to Exposed schemas"
    if code in ("PGRST202", "PGRST204", "42883", "42P01", "3F000"):
        return "the database has another schema than this version needs; run scripts/migrate"
    if status in (401, 403) or code == "42501":
        return "the database does not accept the key of the server"
    return "the database cannot be used; the log of the server says why"


def _body(response: httpx.Response) -> Mapping[str, Any]:
    try:
        found = response.json()
    except ValueError:  # a page of some gateway
        return {}
    return found if isinstance(found, dict) else {}
