"""What several calls share in building their requests: ids, accounts of a batch, and the chunks of an import."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from absfinance.v1.market_data_service_pb2 import ImportPricesRequest
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest
from absfinance.v1.panel_pb2 import PriceField
from google.protobuf.timestamp_pb2 import Timestamp

from absfin.choices import choice
from absfin.constraints import Constraint
from absfin.data import Panel, weights_to_proto
from absfin.objectives import Objective

CHUNK_VALUES = 100_000
"""Values in a message of an import: 0.8 MB, well below the 4 MiB that a message may have."""

PAGE_SIZE = 1000
"""Items in a page of a list that is read to its end: the most that the server gives."""

Progress = Callable[[int, int], None]
"""Called with the number of values sent and their total."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a batch; its constraints and objective come on top of those that all accounts share."""

    key: str
    current_weights: Mapping[str, float] = field(default_factory=dict)
    constraints: Sequence[Constraint] = ()  # one replaces the shared constraint of the same label
    objective: Objective | None = None  # replaces the shared one


def account_request(account: Account) -> OptimizeBatchRequest:
    """The message of one account of a batch."""
    return OptimizeBatchRequest(
        account=OptimizeBatchRequest.Account(
            key=account.key,
            current_weights=weights_to_proto(account.current_weights),
            constraints=account.constraints,
            objective=account.objective,
        )
    )


def timestamp(moment: datetime | None) -> Timestamp | None:
    """A moment, None for none; one without a time zone is in UTC."""
    if moment is None:
        return None
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def new_request_id() -> str:
    """A random id: a call that is repeated with the same id is carried out once."""
    return secrets.token_hex(16)


def import_requests(
    panel: Panel, *, field: str, source: str, import_id: str, on_progress: Progress | None
) -> Iterator[ImportPricesRequest]:
    """Header, chunks of whole rows, footer. Raises UnknownChoice at once for an unknown field."""
    header = ImportPricesRequest.Header(
        import_id=import_id or new_request_id(),
        field=choice(PriceField, "field", field),
        source=source,
    )
    return _import_pieces(header, panel, on_progress)


def _import_pieces(
    header: ImportPricesRequest.Header, panel: Panel, on_progress: Progress | None
) -> Iterator[ImportPricesRequest]:
    yield ImportPricesRequest(header=header)
    total, rows = panel.values.size, max(1, CHUNK_VALUES // len(panel.symbols))
    for start in range(0, len(panel.dates), rows):
        part = Panel(panel.symbols, panel.dates[start : start + rows], panel.values[start : start + rows])
        yield ImportPricesRequest(chunk=part.to_proto())
        if on_progress:
            on_progress(min((start + rows) * len(panel.symbols), total), total)
    yield ImportPricesRequest(footer=ImportPricesRequest.Footer(value_count=total))
