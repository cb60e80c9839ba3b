import datetime

from absfinance.v1 import corporate_action_pb2 as _corporate_action_pb2
from absfinance.v1 import instrument_pb2 as _instrument_pb2
from absfinance.v1 import panel_pb2 as _panel_pb2
from absfinance.v1 import warning_pb2 as _warning_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImportPricesRequest(_message.Message):
    __slots__ = ("header", "chunk", "footer")
    class Header(_message.Message):
        __slots__ = ("import_id", "field", "source")
        IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
        FIELD_FIELD_NUMBER: _ClassVar[int]
        SOURCE_FIELD_NUMBER: _ClassVar[int]
        import_id: str
        field: _panel_pb2.PriceField
        source: str
        def __init__(self, import_id: _Optional[str] = ..., field: _Optional[_Union[_panel_pb2.PriceField, str]] = ..., source: _Optional[str] = ...) -> None: ...
    class Footer(_message.Message):
        __slots__ = ("value_count",)
        VALUE_COUNT_FIELD_NUMBER: _ClassVar[int]
        value_count: int
        def __init__(self, value_count: _Optional[int] = ...) -> None: ...
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    FOOTER_FIELD_NUMBER: _ClassVar[int]
    header: ImportPricesRequest.Header
    chunk: _panel_pb2.Panel
    footer: ImportPricesRequest.Footer
    def __init__(self, header: _Optional[_Union[ImportPricesRequest.Header, _Mapping]] = ..., chunk: _Optional[_Union[_panel_pb2.Panel, _Mapping]] = ..., footer: _Optional[_Union[ImportPricesRequest.Footer, _Mapping]] = ...) -> None: ...

class ImportPricesResponse(_message.Message):
    __slots__ = ("import_id", "inserted_count", "changed_count", "unchanged_count", "symbol_count", "warnings")
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    INSERTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_COUNT_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    inserted_count: int
    changed_count: int
    unchanged_count: int
    symbol_count: int
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    def __init__(self, import_id: _Optional[str] = ..., inserted_count: _Optional[int] = ..., changed_count: _Optional[int] = ..., unchanged_count: _Optional[int] = ..., symbol_count: _Optional[int] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ...) -> None: ...

class PublishMarketDataRequest(_message.Message):
    __slots__ = ("batch_id", "bars", "quotes")
    class Bar(_message.Message):
        __slots__ = ("symbol", "date", "open", "high", "low", "close", "volume", "revision")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        DATE_FIELD_NUMBER: _ClassVar[int]
        OPEN_FIELD_NUMBER: _ClassVar[int]
        HIGH_FIELD_NUMBER: _ClassVar[int]
        LOW_FIELD_NUMBER: _ClassVar[int]
        CLOSE_FIELD_NUMBER: _ClassVar[int]
        VOLUME_FIELD_NUMBER: _ClassVar[int]
        REVISION_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        date: _date_pb2.Date
        open: float
        high: float
        low: float
        close: float
        volume: float
        revision: int
        def __init__(self, symbol: _Optional[str] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., open: _Optional[float] = ..., high: _Optional[float] = ..., low: _Optional[float] = ..., close: _Optional[float] = ..., volume: _Optional[float] = ..., revision: _Optional[int] = ...) -> None: ...
    class Quote(_message.Message):
        __slots__ = ("symbol", "time", "bid", "ask", "last")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        TIME_FIELD_NUMBER: _ClassVar[int]
        BID_FIELD_NUMBER: _ClassVar[int]
        ASK_FIELD_NUMBER: _ClassVar[int]
        LAST_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        time: _timestamp_pb2.Timestamp
        bid: float
        ask: float
        last: float
        def __init__(self, symbol: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., bid: _Optional[float] = ..., ask: _Optional[float] = ..., last: _Optional[float] = ...) -> None: ...
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    BARS_FIELD_NUMBER: _ClassVar[int]
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    bars: _containers.RepeatedCompositeFieldContainer[PublishMarketDataRequest.Bar]
    quotes: _containers.RepeatedCompositeFieldContainer[PublishMarketDataRequest.Quote]
    def __init__(self, batch_id: _Optional[str] = ..., bars: _Optional[_Iterable[_Union[PublishMarketDataRequest.Bar, _Mapping]]] = ..., quotes: _Optional[_Iterable[_Union[PublishMarketDataRequest.Quote, _Mapping]]] = ...) -> None: ...

class PublishMarketDataResponse(_message.Message):
    __slots__ = ("batch_id", "accepted_count", "rejected")
    class Rejected(_message.Message):
        __slots__ = ("index", "reason")
        INDEX_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        index: int
        reason: str
        def __init__(self, index: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    accepted_count: int
    rejected: _containers.RepeatedCompositeFieldContainer[PublishMarketDataResponse.Rejected]
    def __init__(self, batch_id: _Optional[str] = ..., accepted_count: _Optional[int] = ..., rejected: _Optional[_Iterable[_Union[PublishMarketDataResponse.Rejected, _Mapping]]] = ...) -> None: ...

class GetPricesRequest(_message.Message):
    __slots__ = ("selection",)
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    selection: _panel_pb2.MarketDataSelection
    def __init__(self, selection: _Optional[_Union[_panel_pb2.MarketDataSelection, _Mapping]] = ...) -> None: ...

class GetPricesResponse(_message.Message):
    __slots__ = ("header", "rows")
    class Header(_message.Message):
        __slots__ = ("symbols", "date_count", "field", "fingerprint")
        SYMBOLS_FIELD_NUMBER: _ClassVar[int]
        DATE_COUNT_FIELD_NUMBER: _ClassVar[int]
        FIELD_FIELD_NUMBER: _ClassVar[int]
        FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
        symbols: _containers.RepeatedScalarFieldContainer[str]
        date_count: int
        field: _panel_pb2.PriceField
        fingerprint: str
        def __init__(self, symbols: _Optional[_Iterable[str]] = ..., date_count: _Optional[int] = ..., field: _Optional[_Union[_panel_pb2.PriceField, str]] = ..., fingerprint: _Optional[str] = ...) -> None: ...
    class Rows(_message.Message):
        __slots__ = ("dates", "values")
        DATES_FIELD_NUMBER: _ClassVar[int]
        VALUES_FIELD_NUMBER: _ClassVar[int]
        dates: _containers.RepeatedScalarFieldContainer[int]
        values: _panel_pb2.Tensor
        def __init__(self, dates: _Optional[_Iterable[int]] = ..., values: _Optional[_Union[_panel_pb2.Tensor, _Mapping]] = ...) -> None: ...
    HEADER_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    header: GetPricesResponse.Header
    rows: GetPricesResponse.Rows
    def __init__(self, header: _Optional[_Union[GetPricesResponse.Header, _Mapping]] = ..., rows: _Optional[_Union[GetPricesResponse.Rows, _Mapping]] = ...) -> None: ...

class ListInstrumentsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "group")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    group: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., group: _Optional[str] = ...) -> None: ...

class ListInstrumentsResponse(_message.Message):
    __slots__ = ("instruments", "next_page_token")
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.Instrument]
    next_page_token: str
    def __init__(self, instruments: _Optional[_Iterable[_Union[_instrument_pb2.Instrument, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpsertInstrumentsRequest(_message.Message):
    __slots__ = ("instruments",)
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.Instrument]
    def __init__(self, instruments: _Optional[_Iterable[_Union[_instrument_pb2.Instrument, _Mapping]]] = ...) -> None: ...

class UpsertInstrumentsResponse(_message.Message):
    __slots__ = ("upserted_count",)
    UPSERTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    upserted_count: int
    def __init__(self, upserted_count: _Optional[int] = ...) -> None: ...

class UpsertCorporateActionsRequest(_message.Message):
    __slots__ = ("corporate_actions",)
    CORPORATE_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    corporate_actions: _containers.RepeatedCompositeFieldContainer[_corporate_action_pb2.CorporateAction]
    def __init__(self, corporate_actions: _Optional[_Iterable[_Union[_corporate_action_pb2.CorporateAction, _Mapping]]] = ...) -> None: ...

class UpsertCorporateActionsResponse(_message.Message):
    __slots__ = ("upserted_count",)
    UPSERTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    upserted_count: int
    def __init__(self, upserted_count: _Optional[int] = ...) -> None: ...

class ListCorporateActionsRequest(_message.Message):
    __slots__ = ("symbols", "start_date", "end_date", "page_size", "page_token")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    page_size: int
    page_token: str
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCorporateActionsResponse(_message.Message):
    __slots__ = ("corporate_actions", "next_page_token")
    CORPORATE_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    corporate_actions: _containers.RepeatedCompositeFieldContainer[_corporate_action_pb2.CorporateAction]
    next_page_token: str
    def __init__(self, corporate_actions: _Optional[_Iterable[_Union[_corporate_action_pb2.CorporateAction, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetMarketMetricsRequest(_message.Message):
    __slots__ = ("symbols",)
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, symbols: _Optional[_Iterable[str]] = ...) -> None: ...

class GetMarketMetricsResponse(_message.Message):
    __slots__ = ("metrics", "warnings")
    class MarketMetrics(_message.Message):
        __slots__ = ("symbol", "last_price", "average_daily_volume", "spread_bps", "volatility_annual", "as_of")
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        LAST_PRICE_FIELD_NUMBER: _ClassVar[int]
        AVERAGE_DAILY_VOLUME_FIELD_NUMBER: _ClassVar[int]
        SPREAD_BPS_FIELD_NUMBER: _ClassVar[int]
        VOLATILITY_ANNUAL_FIELD_NUMBER: _ClassVar[int]
        AS_OF_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        last_price: float
        average_daily_volume: float
        spread_bps: float
        volatility_annual: float
        as_of: _date_pb2.Date
        def __init__(self, symbol: _Optional[str] = ..., last_price: _Optional[float] = ..., average_daily_volume: _Optional[float] = ..., spread_bps: _Optional[float] = ..., volatility_annual: _Optional[float] = ..., as_of: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...
    METRICS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[GetMarketMetricsResponse.MarketMetrics]
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    def __init__(self, metrics: _Optional[_Iterable[_Union[GetMarketMetricsResponse.MarketMetrics, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ...) -> None: ...
