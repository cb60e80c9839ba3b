import datetime

from absfinance.v1 import portfolio_pb2 as _portfolio_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreatePortfolioRequest(_message.Message):
    __slots__ = ("portfolio", "portfolio_id", "request_id")
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    portfolio: _portfolio_pb2.Portfolio
    portfolio_id: str
    request_id: str
    def __init__(self, portfolio: _Optional[_Union[_portfolio_pb2.Portfolio, _Mapping]] = ..., portfolio_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetPortfolioRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListPortfoliosRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "all")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    all: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., all: _Optional[bool] = ...) -> None: ...

class ListPortfoliosResponse(_message.Message):
    __slots__ = ("portfolios", "next_page_token")
    class Summary(_message.Message):
        __slots__ = ("name", "display_name", "currency", "holding_count", "cash", "etag", "create_time", "update_time", "owner")
        NAME_FIELD_NUMBER: _ClassVar[int]
        DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
        CURRENCY_FIELD_NUMBER: _ClassVar[int]
        HOLDING_COUNT_FIELD_NUMBER: _ClassVar[int]
        CASH_FIELD_NUMBER: _ClassVar[int]
        ETAG_FIELD_NUMBER: _ClassVar[int]
        CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
        UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
        OWNER_FIELD_NUMBER: _ClassVar[int]
        name: str
        display_name: str
        currency: str
        holding_count: int
        cash: float
        etag: str
        create_time: _timestamp_pb2.Timestamp
        update_time: _timestamp_pb2.Timestamp
        owner: str
        def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., currency: _Optional[str] = ..., holding_count: _Optional[int] = ..., cash: _Optional[float] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., owner: _Optional[str] = ...) -> None: ...
    PORTFOLIOS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    portfolios: _containers.RepeatedCompositeFieldContainer[ListPortfoliosResponse.Summary]
    next_page_token: str
    def __init__(self, portfolios: _Optional[_Iterable[_Union[ListPortfoliosResponse.Summary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdatePortfolioRequest(_message.Message):
    __slots__ = ("portfolio", "update_mask")
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    portfolio: _portfolio_pb2.Portfolio
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, portfolio: _Optional[_Union[_portfolio_pb2.Portfolio, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class DeletePortfolioRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class DeletePortfolioResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
