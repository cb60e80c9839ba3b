"""What is copied from one store to another: rows as every store can read and write them, table by table.

Rows are plain values: times are microseconds since 1970, days count from 1970-01-01, and content is bytes. They are the
same in every store, so that rows of two stores can be compared by their hashes.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from domain.records import dataclass

PAGE_BYTES = 4 << 20
"""About how much content a page has, at most; a row that is larger is a page of its own."""

_BEFORE_ALL_INTEGERS = -(2**31)

Value = str | int | float | bytes | bool | tuple[str, ...] | None

Place = tuple[str | int, ...]
"""Values of the columns that name a row, in the order of rows."""


class Kind(StrEnum):
    """What a column has."""

    NAME = "NAME"  # text of the server, or an id: no control characters
    TEXT = "TEXT"  # text of a caller's choice
    TEXTS = "TEXTS"  # such texts, sorted
    INTEGER = "INTEGER"
    NUMBER = "NUMBER"
    FLAG = "FLAG"
    BYTES = "BYTES"


@dataclass(frozen=True, slots=True)
class TransferTable:
    """The columns of a table: first those that name a row, then the others."""

    name: str
    place: tuple[tuple[str, Kind], ...]
    columns: tuple[tuple[str, Kind], ...]
    parent: str = ""  # the table whose rows are named by the first two columns of this one

    @property
    def before_all(self) -> Place:
        """A place before that of every row."""
        return tuple(_BEFORE_ALL_INTEGERS if kind is Kind.INTEGER else "" for _, kind in self.place)


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A row: what names it, and the values of the other columns of its table."""

    place: Place
    values: tuple[Value, ...]

    @property
    def size(self) -> int:
        """Bytes of its content."""
        return sum(len(value) for value in self.values if isinstance(value, bytes))


@dataclass(frozen=True, slots=True)
class UsedByResult:
    """What a result has used of what is stored, and since when it is stale."""

    place: Place  # owner and id
    ranges: tuple[tuple[str, int, int, str], ...]  # field, first and last day, symbol; in order
    stale: int | None  # microseconds since 1970-01-01; None where it is not


class TransferStore(Protocol):
    """The rows of a store for a copy of it. No service uses it: it knows no owner's scope."""

    async def rows(self, table: TransferTable, after: Place, limit: int) -> Sequence[TransferRow]:
        """Rows after a place, in the order of places: at most `limit`, of about PAGE_BYTES together; empty at the end.

        Of backtests and what belongs to them only those that are over. Raises StorageUnavailable.
        """
        ...

    async def put(self, table: TransferTable, rows: Sequence[TransferRow]) -> None:
        """Stores rows that are not there, whole pages or nothing but for large content, which is stored row by row.

        What stands in the place of a row, or has its request id, is left as it is: the caller reads and compares.
        Raises StorageFull, StorageUnavailable.
        """
        ...

    async def used(self, table: TransferTable, after: Place, limit: int) -> Sequence[UsedByResult]:
        """Results of a table of `RESULTS` after a place that have used something stored, in the order of places.

        Raises StorageUnavailable.
        """
        ...

    async def put_used(self, table: TransferTable, results: Sequence[UsedByResult]) -> None:
        """Keeps what results have used that are there, and that they are stale.

        What one has used already is left as it is, and so is an earlier time. Corrections from now on count as those of
        what was stored here. Raises StorageFull, StorageUnavailable.
        """
        ...

    async def keep_secret(self, secret: bytes) -> bytes:
        """Makes this the secret of API keys where there is none; the one that is kept. Raises StorageUnavailable."""
        ...


def _table(name: str, place: str, columns: str, parent: str = "") -> TransferTable:
    return TransferTable(name, _columns(place), _columns(columns), parent)


def _columns(text: str) -> tuple[tuple[str, Kind], ...]:
    """Of `name:KIND` with spaces between; a column without a kind is a NAME."""
    named = (one.partition(":") for one in text.split())
    return tuple((name, Kind(kind or Kind.NAME)) for name, _, kind in named)


_RESULT = "request_id:TEXT input_fingerprint subject label:TEXT created:INTEGER"
_CONTENT = "body:BYTES summary:BYTES payload:BYTES"
_STAGE = "stage_label:TEXT stage_index:INTEGER stage_count:INTEGER"

PORTFOLIOS = _table(
    "portfolios",
    "owner id",
    "request_id:TEXT revision:INTEGER created:INTEGER updated:INTEGER body:BYTES payload:BYTES",
)
# The position counts the fills of a portfolio from 1 in the order in which they were recorded.
FILLS = _table(
    "fills",
    "owner portfolio position:INTEGER",
    "fill_id:TEXT symbol:TEXT day:INTEGER reallocation is_open:FLAG disallows:TEXTS content:BYTES outcome:BYTES",
    "portfolios",
)
OPTIMIZATIONS = _table("optimizations", "owner id", f"{_RESULT} {_CONTENT}")
REALLOCATIONS = _table("reallocations", "owner id", f"{_RESULT} superseded:INTEGER superseded_by fills {_CONTENT}")
BACKTESTS = _table(
    "backtests",
    "owner id",
    "request_id:TEXT label:TEXT caller:TEXT state epoch fingerprint cost_estimate:NUMBER run_micros:INTEGER "
    f"attempt:INTEGER crashes:INTEGER fraction:NUMBER day:INTEGER wealth:NUMBER {_STAGE} last_event:INTEGER "
    "dropped_event:INTEGER created:INTEGER finished:INTEGER inputs actions body:BYTES request:BYTES result:BYTES "
    "error:BYTES",
)
INPUTS = _table("backtest_inputs", "fingerprint", "symbols data:BYTES")
INPUT_USES = _table("backtest_input_uses", "owner id fingerprint", "", "backtests")
EVENTS = _table(
    "backtest_events",
    "owner id number:INTEGER",
    f"time:INTEGER kind message:TEXT day:INTEGER reason:TEXT {_STAGE} benefit_annual:NUMBER cost_annual:NUMBER",
    "backtests",
)
SERIES = _table("backtest_series", "owner id position:INTEGER", "label:TEXT data:BYTES", "backtests")
# Only a sweep that was cancelled or has failed has them once it is over.
PARTS = _table("backtest_parts", "owner id number:INTEGER", "data:BYTES", "backtests")
DECISIONS = _table(
    "backtest_decisions", "owner id path:TEXT day:INTEGER", "weights reason:TEXT message:TEXT", "backtests"
)

RESULTS = (OPTIMIZATIONS, REALLOCATIONS, BACKTESTS)
"""Tables whose rows may become stale."""

OPEN_BACKTESTS = _table("open_backtests", "owner id", "state")
"""Backtests that are not over. They are read alone."""

TABLES = (
    PORTFOLIOS, FILLS, OPTIMIZATIONS, REALLOCATIONS, BACKTESTS, INPUTS, INPUT_USES, EVENTS, SERIES, PARTS,
    DECISIONS,
)  # fmt: skip
"""In the order in which they are copied: rows come after those that they refer to."""
