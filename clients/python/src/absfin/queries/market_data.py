"""Calls of MarketDataService."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import Any, ClassVar

from absfinance.v1 import market_data_service_pb2 as pb
from absfinance.v1 import panel_pb2
from absfinance.v1.market_data_service_pb2_grpc import MarketDataServiceStub

from absfin.choices import PriceField, choice
from absfin.corporate_actions import CorporateAction, corporate_action_from_proto, corporate_actions_to_proto
from absfin.data import Instrument, Panel, Stored, date_to_proto, panel_of
from absfin.liquidity import MarketMetrics
from absfin.panel_assembler import PanelAssembler
from absfin.queries.base import AssembledQuery, PagedQuery, Rpc, StreamQuery, UnaryQuery
from absfin.requests import PAGE_SIZE, Progress, import_requests
from absfin.results import ImportReceipt


@dataclass(frozen=True)
class ImportPricesQuery(UnaryQuery[ImportReceipt]):
    """Stores a Panel or pandas frame of prices: all of it, or nothing."""

    RPC: ClassVar = Rpc(MarketDataServiceStub, "ImportPrices")

    prices: Any
    _: KW_ONLY
    field: PriceField = "close"
    source: str = ""
    import_id: str = ""  # a new one if empty
    on_progress: Progress | None = None

    def __post_init__(self) -> None:
        choice(panel_pb2.PriceField, "field", self.field)

    def request(self) -> Iterator[pb.ImportPricesRequest]:
        """Header, chunks of whole rows, footer."""
        return import_requests(
            panel_of(self.prices),
            field=self.field,
            source=self.source,
            import_id=self.import_id,
            on_progress=self.on_progress,
        )

    def answer(self, response: pb.ImportPricesResponse) -> ImportReceipt:
        """What changed."""
        return ImportReceipt.from_proto(response)


@dataclass(frozen=True)
class PublishMarketDataQuery(StreamQuery[pb.PublishMarketDataResponse]):
    """Stores bars and quotes as they come, and yields what became of each batch once it is stored.

    The same batch again changes nothing. Raises InvalidInput for a batch that is wrong; those before it stay stored.
    """

    RPC: ClassVar = Rpc(MarketDataServiceStub, "PublishMarketData")

    batches: Iterable[pb.PublishMarketDataRequest]

    def request(self) -> Iterator[pb.PublishMarketDataRequest]:
        """The batches, each taken as it is sent."""
        return iter(self.batches)

    def answer(self, response: pb.PublishMarketDataResponse) -> pb.PublishMarketDataResponse:
        """How many were stored, and the others by their place."""
        return response


@dataclass(frozen=True)
class PricesQuery(AssembledQuery[Panel]):
    """Stored prices as one table. Raises MissingMarketData."""

    RPC: ClassVar = Rpc(MarketDataServiceStub, "GetPrices")

    selection: Stored

    def request(self) -> pb.GetPricesRequest:
        """The selection."""
        return pb.GetPricesRequest(selection=self.selection.to_proto())

    def assembler(self) -> PanelAssembler:
        """Joins the rows."""
        return PanelAssembler()


@dataclass(frozen=True)
class MarketMetricsQuery(UnaryQuery[dict[str, MarketMetrics]]):
    """The latest figures of assets by symbol, from stored bars. Raises MissingMarketData."""

    RPC: ClassVar = Rpc(MarketDataServiceStub, "GetMarketMetrics")

    symbols: Sequence[str]

    def request(self) -> pb.GetMarketMetricsRequest:
        """The symbols."""
        return pb.GetMarketMetricsRequest(symbols=self.symbols)

    def answer(self, response: pb.GetMarketMetricsResponse) -> dict[str, MarketMetrics]:
        """The figures of each symbol."""
        return {one.symbol: MarketMetrics.from_proto(one) for one in response.metrics}


@dataclass(frozen=True)
class UpsertInstrumentsQuery(UnaryQuery[int]):
    """Stores instruments, replacing those with the same symbol; returns how many."""

    RPC: ClassVar = Rpc(MarketDataServiceStub, "UpsertInstruments")

    instruments: Iterable[Instrument]

    def request(self) -> pb.UpsertInstrumentsRequest:
        """The instruments."""
        return pb.UpsertInstrumentsRequest(instruments=[item.to_proto() for item in self.instruments])

    def answer(self, response: pb.UpsertInstrumentsResponse) -> int:
        """How many."""
        return int(response.upserted_count)


@dataclass(frozen=True)
class InstrumentsQuery(PagedQuery[Instrument]):
    """All stored instruments by symbol, or those with a label such as "sector=Technology"."""

    RPC: ClassVar = Rpc(MarketDataServiceStub, "ListInstruments")

    group: str = ""

    def request(self, page_token: str) -> pb.ListInstrumentsRequest:
        """A page."""
        return pb.ListInstrumentsRequest(page_size=PAGE_SIZE, page_token=page_token, group=self.group)

    def items(self, response: pb.ListInstrumentsResponse) -> Iterable[Instrument]:
        """The instruments of the page."""
        return map(Instrument.from_proto, response.instruments)


@dataclass(frozen=True)
class UpsertCorporateActionsQuery(UnaryQuery[int]):
    """Stores corporate actions, replacing those of the same symbol, date and kind; returns how many.

    A symbol has one delisting: another one replaces it whatever its date. Raises InvalidInput for a symbol that is not
    stored, an action before its first price, and actions that contradict.
    """

    RPC: ClassVar = Rpc(MarketDataServiceStub, "UpsertCorporateActions")

    actions: Iterable[CorporateAction]

    def request(self) -> pb.UpsertCorporateActionsRequest:
        """The actions."""
        return pb.UpsertCorporateActionsRequest(corporate_actions=corporate_actions_to_proto(self.actions))

    def answer(self, response: pb.UpsertCorporateActionsResponse) -> int:
        """How many."""
        return int(response.upserted_count)


@dataclass(frozen=True)
class CorporateActionsQuery(PagedQuery[CorporateAction]):
    """Stored corporate actions by symbol and date: of all symbols or some, from `start` to `end`, both inclusive."""

    RPC: ClassVar = Rpc(MarketDataServiceStub, "ListCorporateActions")

    symbols: Sequence[str] = ()
    start: date | None = None
    end: date | None = None

    def request(self, page_token: str) -> pb.ListCorporateActionsRequest:
        """A page."""
        return pb.ListCorporateActionsRequest(
            symbols=self.symbols,
            start_date=date_to_proto(self.start),
            end_date=date_to_proto(self.end),
            page_size=PAGE_SIZE,
            page_token=page_token,
        )

    def items(self, response: pb.ListCorporateActionsResponse) -> Iterable[CorporateAction]:
        """The actions of the page."""
        return map(corporate_action_from_proto, response.corporate_actions)
