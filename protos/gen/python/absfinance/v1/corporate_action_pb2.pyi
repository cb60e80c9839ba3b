from buf.validate import validate_pb2 as _validate_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PriceBasis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRICE_BASIS_UNSPECIFIED: _ClassVar[PriceBasis]
    PRICE_BASIS_ADJUSTED: _ClassVar[PriceBasis]
    PRICE_BASIS_SPLIT_ADJUSTED: _ClassVar[PriceBasis]
    PRICE_BASIS_UNADJUSTED: _ClassVar[PriceBasis]

class DividendPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIVIDEND_POLICY_UNSPECIFIED: _ClassVar[DividendPolicy]
    DIVIDEND_POLICY_CASH: _ClassVar[DividendPolicy]
    DIVIDEND_POLICY_REINVEST: _ClassVar[DividendPolicy]

class DelistingPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELISTING_POLICY_UNSPECIFIED: _ClassVar[DelistingPolicy]
    DELISTING_POLICY_FAIL: _ClassVar[DelistingPolicy]
    DELISTING_POLICY_LAST_PRICE: _ClassVar[DelistingPolicy]
    DELISTING_POLICY_ZERO: _ClassVar[DelistingPolicy]
    DELISTING_POLICY_SHUMWAY_NYSE: _ClassVar[DelistingPolicy]
    DELISTING_POLICY_SHUMWAY_NASDAQ: _ClassVar[DelistingPolicy]
PRICE_BASIS_UNSPECIFIED: PriceBasis
PRICE_BASIS_ADJUSTED: PriceBasis
PRICE_BASIS_SPLIT_ADJUSTED: PriceBasis
PRICE_BASIS_UNADJUSTED: PriceBasis
DIVIDEND_POLICY_UNSPECIFIED: DividendPolicy
DIVIDEND_POLICY_CASH: DividendPolicy
DIVIDEND_POLICY_REINVEST: DividendPolicy
DELISTING_POLICY_UNSPECIFIED: DelistingPolicy
DELISTING_POLICY_FAIL: DelistingPolicy
DELISTING_POLICY_LAST_PRICE: DelistingPolicy
DELISTING_POLICY_ZERO: DelistingPolicy
DELISTING_POLICY_SHUMWAY_NYSE: DelistingPolicy
DELISTING_POLICY_SHUMWAY_NASDAQ: DelistingPolicy

class CorporateAction(_message.Message):
    __slots__ = ("symbol", "ex_date", "split", "cash_dividend", "delisting")
    class Split(_message.Message):
        __slots__ = ("ratio",)
        RATIO_FIELD_NUMBER: _ClassVar[int]
        ratio: float
        def __init__(self, ratio: _Optional[float] = ...) -> None: ...
    class CashDividend(_message.Message):
        __slots__ = ("amount", "pay_date")
        AMOUNT_FIELD_NUMBER: _ClassVar[int]
        PAY_DATE_FIELD_NUMBER: _ClassVar[int]
        amount: float
        pay_date: _date_pb2.Date
        def __init__(self, amount: _Optional[float] = ..., pay_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...
    class Delisting(_message.Message):
        __slots__ = ()
        RETURN_FIELD_NUMBER: _ClassVar[int]
        def __init__(self, **kwargs) -> None: ...
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    EX_DATE_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    CASH_DIVIDEND_FIELD_NUMBER: _ClassVar[int]
    DELISTING_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    ex_date: _date_pb2.Date
    split: CorporateAction.Split
    cash_dividend: CorporateAction.CashDividend
    delisting: CorporateAction.Delisting
    def __init__(self, symbol: _Optional[str] = ..., ex_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., split: _Optional[_Union[CorporateAction.Split, _Mapping]] = ..., cash_dividend: _Optional[_Union[CorporateAction.CashDividend, _Mapping]] = ..., delisting: _Optional[_Union[CorporateAction.Delisting, _Mapping]] = ...) -> None: ...
