"""What reads bytes that somebody else may have written: each with good examples, and with the refusals it may raise.

Whatever the bytes are, a decoder reads them or refuses them in its own words, in time and memory that its input sets.
"""

import base64
import gzip
import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from random import Random

import numpy as np
import pyarrow
import typer
from absfin.cli.csv_files import (
    read_actions,
    read_instruments,
    read_liquidity,
    read_panel,
    read_rates,
    read_universe,
    read_weights,
)
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.portfolio_service_pb2 import UpdatePortfolioRequest
from pyarrow import parquet

from domain.backtest.flow import Checkpoint
from domain.backtest.simulation.arrays import ACCOUNT, Positions
from domain.backtest.simulator import SimulationState
from domain.errors import InvalidInput
from domain.monitoring.codec import _MAGIC, VERSION, _digest, state_from_bytes, state_to_bytes
from domain.monitoring.state import MonitorState
from domain.records import dataclass
from server.jobs.codec import checkpoint_from_bytes, checkpoint_to_bytes
from server.listeners.memory import Memory, memory_from_bytes, memory_to_bytes
from server.ports.audit import AuditFilter
from server.ports.list_filter import ListFilter
from server.ports.scope import Scope
from server.storage.audit_tokens import place_of_token, token_of_place
from server.storage.pages import Position, place_of, place_token, position_of, token_of
from server.web.codecs import _from_json
from server.web.statuses import Refused
from tests.fuzzing.mutations import garbled

SCOPE = Scope("users/a")
EXAMPLE_PRICES = b"date,A,B\n2024-01-02,100,50.5\n2024-01-03,101,\n2024-01-04,1e2,51\n"


@dataclass(frozen=True)
class Decoder:
    """A reader of bytes."""

    read: Callable[[bytes], object]
    examples: Sequence[bytes]
    refusals: tuple[type[Exception], ...]

    def try_on(self, data: bytes) -> None:
        """Reads bytes. Raises what no caller expects."""
        try:
            self.read(data)
        except self.refusals:
            return


@cache
def decoders() -> Mapping[str, Decoder]:
    """All of them by name."""
    refused = (typer.BadParameter,)
    texts = {
        "actions": (read_actions, b"A,2024-01-02,split,2,\nB,2024-02-01,cash_dividend,0.5,2024-02-05\n"),
        "instruments": (read_instruments, b"symbol,currency,lot_size,sector,state\nA,USD,1,tech,tradable\nB,EUR,,x,\n"),
        "liquidity": (read_liquidity, b"A,1e6,0.2\nB,5000000,\nC,7e5\n"),
        "rates": (read_rates, b"date,rate\n2024-01-02,0.05\n2024-02-01,0.045\n"),
        "universe": (read_universe, b"date,symbol\n2024-01-02,A\n2024-01-02,B\n2024-02-01,A\n"),
        "weights": (lambda path: read_weights(str(path), ()), b"symbol,weight\nA,0.6\nB,0.4\n"),
    }  # fmt: skip
    files = {name: Decoder(partial(_as_file, read), (text,), refused) for name, (read, text) in texts.items()}
    return {
        **files,
        "panel": Decoder(partial(_as_file, read_panel), (EXAMPLE_PRICES, _zipped(EXAMPLE_PRICES)), refused),
        "parquet": Decoder(partial(_as_file, read_panel), _parquet_files(), refused),
        "parquet rows": Decoder(partial(_as_file, read_rates), _parquet_files(), refused),
        "json": Decoder(_read_json, _json_texts(), (Refused,)),
        "page token": Decoder(_read_tokens, _tokens(), (InvalidInput,)),
        "checkpoint": Decoder(checkpoint_from_bytes, (_checkpoint(),), ()),
        "monitor": Decoder(_read_monitor, (state_to_bytes(MonitorState())[_body_start() :],), (InvalidInput,)),
        "listener": Decoder(memory_from_bytes, (memory_to_bytes(Memory()),), (InvalidInput,)),
    }


def changed(example: bytes, rng: Random) -> bytes:
    """An example with one to four changes."""
    data = example
    for _ in range(rng.choice((1, 1, 2, 4))):
        match rng.randrange(3):
            case 0:
                data = garbled(data, rng)
            case 1:  # a part twice, or one in the place of another
                start, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
                data = data[:end] + data[start:] if rng.random() < 0.5 else data[:start] + data[end:]
            case _:
                word = rng.choice(WORDS)
                at = rng.randrange(len(data) + 1)
                data = data[:at] + word + data[at + rng.choice((0, len(word))) :]
    return data


WORDS = (
    *(
        b"\x00",
        b"\xff\xff\xff\xff",
        b"\x7f\xff\xff\xff",
        b"\xef\xbb\xbf",
        b'"',
        b",",
        b"\n",
        b"\r",
        b"[[[[",
        b"{}",
        b"}",
    ),
    *(b"nan", b"-inf", b"1e999", b"0x1", b"-1", b"99999999999999999999", b"NaT", b"now", b"2024-13-45", b"\xd8\x00"),
    *(b"null", b"true", b"\xe2\x80\x8b", b"\xf0\x9f\x99\x82", b"date", b"symbol", b"PAR1", b"PK\x05\x06", b"\x1f\x8b"),
)
"""What decoders stumble over."""


def _as_file(read: Callable[[Path], object], data: bytes) -> object:
    path = _folder() / "input"
    path.write_bytes(data)
    return read(path)


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="absfin-decoders-"))


def _zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _parquet_files() -> tuple[bytes, ...]:
    days = np.array(["2024-01-02", "2024-01-03"], "datetime64[D]")
    tables = (
        {"date": days, "A": [100.0, 101.0], "B": [50.0, None]},
        {"date": ["2024-01-02", "2024-01-03"], "rate": [0.01, 0.02]},
        {"date": days.astype("datetime64[us]"), "n": [1, 2]},
    )
    found = []
    for columns in tables:
        sink = io.BytesIO()
        parquet.write_table(pyarrow.table(columns), sink)
        found.append(sink.getvalue())
    return tuple(found)


def _read_json(data: bytes) -> None:
    for kind in (OptimizeRequest, UpdatePortfolioRequest):
        _from_json(data, kind)


def _json_texts() -> tuple[bytes, ...]:
    return (
        b'{"returns": {"symbols": ["A", "B"], "dates": [0, 1], "values": [0.1, -0.2, 1e-3, "NaN"]}}',
        b'{"objective": {"minRisk": {}}, "constraints": [{"weightBounds": {"lower": 0, "upper": 0.5}}]}',
        b'{"portfolio": {"name": "portfolios/main", "cash": 1.5, "holdings": []}, "updateMask": "holdings,cash"}',
        b'{"solver": {"timeLimit": "1.5s", "engine": "ENGINE_FAST"}, "requestId": "a\\ud83d\\ude42"}',
        base64.b64encode(b"x" * 30),
    )


def _read_tokens(data: bytes) -> None:
    token = data.decode("utf-8", "replace")
    for read in (
        lambda: position_of(token, "backtests", SCOPE, ListFilter()),
        lambda: place_of(token, "instruments", SCOPE),
        lambda: place_of(token, "instruments", Scope("users/a", everyone=True)),
        lambda: place_of_token(token, SCOPE, AuditFilter()),
    ):
        try:
            read()
        except InvalidInput:
            continue


def _tokens() -> tuple[bytes, ...]:
    found = (
        token_of(Position(1_700_000_000_000_000, "run-1"), "backtests", SCOPE, ListFilter()),
        place_token("A", "instruments", SCOPE),
        place_token("17", "instruments", Scope("users/a", everyone=True)),
        token_of_place(17, SCOPE, AuditFilter()),
    )
    return tuple(token.encode() for token in found)


def _checkpoint() -> bytes:
    """Made by hand: a simulation would have to be compiled first."""
    positions = Positions(*(np.zeros(2) for _ in Positions._fields))
    state = SimulationState(20, np.zeros(1, ACCOUNT), positions, np.zeros((1, 2)), None)
    return checkpoint_to_bytes(Checkpoint(0, state, ()))


def _body_start() -> int:
    return len(_MAGIC) + 4 + len(_digest(b""))


def _read_monitor(body: bytes) -> None:
    """With the digest of whoever wrote it: else damage is all that is ever found."""
    state_from_bytes(_MAGIC + VERSION.to_bytes(4, "little") + _digest(body) + body)
