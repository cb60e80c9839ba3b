"""Input of the calls: prices, returns, moments, scenarios, stored prices, holdings and quotes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from absfinance.v1 import instrument_pb2, panel_pb2, portfolio_pb2, reallocation_pb2
from absfinance.v1.weight_pb2 import AssetGroup, AssetWeight
from google.type.date_pb2 import Date
from numpy.typing import ArrayLike, NDArray

from absfin.choices import PriceField, TradableState, choice, plain_name

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Panel:
    """Values by date and symbol; NaN means missing."""

    symbols: tuple[str, ...]
    dates: NDArray[np.int32]  # (T,), days since 1970-01-01
    values: NDArray[np.float64]  # (T, N)

    @classmethod
    def of(cls, symbols: Iterable[str], dates: Iterable[date] | ArrayLike, values: ArrayLike) -> "Panel":
        """From T dates and (T, N) values; dates are datetime.date, datetime64, ISO text, or days since 1970-01-01."""
        names = tuple(symbols)
        array = np.asarray(values, dtype=np.float64)
        return cls(names, _days(dates), array.reshape(-1, len(names)))

    @classmethod
    def from_pandas(cls, frame: "pd.DataFrame | pd.Series[float]") -> "Panel":
        """From a frame with one row for each date and one column for each symbol, or a named series."""
        table = frame.to_frame() if frame.ndim == 1 else frame
        days = table.index.to_numpy().astype("datetime64[D]").astype(np.int64)
        return cls(
            tuple(map(str, table.columns)), days.astype(np.int32), np.ascontiguousarray(table.to_numpy(np.float64))
        )

    def to_pandas(self) -> "pd.DataFrame":
        """A frame with one row for each date and one column for each symbol."""
        import pandas as pd  # an optional extra of this package

        days = self.dates.astype("datetime64[D]").astype("datetime64[s]")
        return pd.DataFrame(self.values, index=pd.DatetimeIndex(days), columns=list(self.symbols))

    def to_proto(self) -> panel_pb2.Panel:
        """The message."""
        return panel_pb2.Panel(symbols=self.symbols, dates=self.dates.tolist(), values=self.values.ravel())


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices; the server computes simple returns. `panel` is a Panel or a pandas frame."""

    panel: "Panel | pd.DataFrame | pd.Series[float]"


@dataclass(frozen=True, slots=True)
class Returns:
    """Simple returns. `panel` is a Panel or a pandas frame."""

    panel: "Panel | pd.DataFrame | pd.Series[float]"
    periods_per_year: float


@dataclass(frozen=True, slots=True)
class Moments:
    """Expected returns and covariance, both per period."""

    symbols: Sequence[str]
    expected_returns: ArrayLike | None  # (N,), or None where the call needs no return
    covariance: ArrayLike  # (N, N)
    periods_per_year: float
    repair_covariance: bool = False

    def to_proto(self) -> panel_pb2.Moments:
        """The message."""
        # As lists: messages take Python's numbers in half the time of NumPy's.
        means = [] if self.expected_returns is None else np.asarray(self.expected_returns, np.float64).ravel().tolist()
        return panel_pb2.Moments(
            symbols=self.symbols,
            expected_returns=means,
            covariance=np.asarray(self.covariance, np.float64).ravel().tolist(),
            periods_per_year=self.periods_per_year,
            repair_covariance=self.repair_covariance,
        )


@dataclass(frozen=True, slots=True)
class Scenarios:
    """S possible returns of N assets over one period; equally likely without probabilities."""

    symbols: Sequence[str]
    values: ArrayLike  # (S, N)
    periods_per_year: float
    probabilities: ArrayLike | None = None  # (S,)

    def to_proto(self) -> panel_pb2.Scenarios:
        """The message."""
        probabilities = () if self.probabilities is None else np.asarray(self.probabilities, np.float64).ravel()
        return panel_pb2.Scenarios(
            symbols=self.symbols,
            values=np.asarray(self.values, np.float64).ravel(),
            probabilities=probabilities,
            periods_per_year=self.periods_per_year,
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """Stored prices: of some symbols, or of a universe such as "sector=Technology"."""

    symbols: Sequence[str] = ()
    universe: str = ""
    start: date | None = None
    end: date | None = None
    field: PriceField = "close"

    def __post_init__(self) -> None:
        choice(panel_pb2.PriceField, "field", self.field)

    def to_proto(self) -> panel_pb2.MarketDataSelection:
        """The message."""
        return panel_pb2.MarketDataSelection(
            symbols=self.symbols,
            universe=self.universe,
            start_date=date_to_proto(self.start),
            end_date=date_to_proto(self.end),
            field=choice(panel_pb2.PriceField, "field", self.field),
        )


MarketInput = Prices | Returns | Moments | Scenarios | Stored


@dataclass(frozen=True, slots=True)
class Instrument:
    """Reference data of an asset."""

    symbol: str
    display_name: str = ""
    currency: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    lot_size: float | None = None  # units
    state: TradableState = "tradable"
    has_prices: bool = field(default=False, compare=False)  # whether the server stores prices of it; not sent

    def __post_init__(self) -> None:
        choice(instrument_pb2.TradableState, "state", self.state)

    def to_proto(self) -> instrument_pb2.Instrument:
        """The message."""
        return instrument_pb2.Instrument(
            symbol=self.symbol,
            display_name=self.display_name,
            currency=self.currency,
            groups=self.groups,
            lot_size=self.lot_size,
            state=choice(instrument_pb2.TradableState, "state", self.state),
        )

    @classmethod
    def from_proto(cls, message: instrument_pb2.Instrument) -> "Instrument":
        """From the message."""
        lot = message.lot_size if message.HasField("lot_size") else None
        return cls(
            message.symbol,
            message.display_name,
            message.currency,
            dict(message.groups),
            lot,
            plain_name(instrument_pb2.TradableState, message.state),
            message.has_prices,
        )


@dataclass(frozen=True, slots=True)
class TaxLot:
    """Units of one asset bought together; `unit_cost` is the cost of one unit, in money."""

    quantity: float
    unit_cost: float
    purchase_date: date
    lot_id: str = ""  # the place in the list of lots, from "1", if empty
    holding_period_start: date | None = None  # where it is not the date of purchase, as after a wash sale

    def to_proto(self) -> portfolio_pb2.TaxLot:
        """The message."""
        return portfolio_pb2.TaxLot(
            quantity=self.quantity,
            unit_cost=self.unit_cost,
            purchase_date=date_to_proto(self.purchase_date),
            lot_id=self.lot_id,
            holding_period_start=date_to_proto(self.holding_period_start),
        )


@dataclass(frozen=True, slots=True)
class Holdings:
    """Holdings in units, and cash in money; tax lots of a holding sum to its quantity."""

    quantities: Mapping[str, float]
    cash: float = 0.0
    lots: Mapping[str, Iterable[TaxLot]] = field(default_factory=dict)
    currency: str = ""  # ISO 4217, of the cash and of prices that name no other

    def to_proto(self) -> portfolio_pb2.Portfolio:
        """The message."""
        holdings = [
            portfolio_pb2.Holding(symbol=s, quantity=quantity, lots=[lot.to_proto() for lot in self.lots.get(s, ())])
            for s, quantity in self.quantities.items()
        ]
        return portfolio_pb2.Portfolio(holdings=holdings, cash=self.cash, currency=self.currency)


@dataclass(frozen=True, slots=True)
class Quote:
    """Market data of one asset at the time of a reallocation."""

    symbol: str
    price: float
    average_daily_volume: float | None = None  # in units
    spread_bps: float | None = None
    lot_size: float | None = None
    halted: bool = False
    volatility_annual: float | None = None
    currency: str = ""  # of the price, ISO 4217; that of the portfolio if empty

    def to_proto(self) -> reallocation_pb2.MarketSnapshot.Asset:
        """The message."""
        return reallocation_pb2.MarketSnapshot.Asset(
            symbol=self.symbol,
            price=self.price,
            average_daily_volume=self.average_daily_volume,
            spread_bps=self.spread_bps,
            lot_size=self.lot_size,
            halted=self.halted,
            volatility_annual=self.volatility_annual,
            currency=self.currency,
        )


def panel_of(panel: Any) -> Panel:
    """The Panel itself, or a pandas frame or series as a Panel."""
    return panel if isinstance(panel, Panel) else Panel.from_pandas(panel)


def input_fields(data: MarketInput, periods_per_year: float | None = None) -> dict[str, Any]:
    """The fields of a request that carry the data; `periods_per_year` takes the place of what the data says."""
    fields = _data_fields(data)
    if periods_per_year is not None:
        fields["periods_per_year"] = periods_per_year
    return fields


def groups_to_proto(groups: Mapping[str, Iterable[str]]) -> Sequence[AssetGroup]:
    """One message for each group: its name and its symbols."""
    return [AssetGroup(name=name, symbols=symbols) for name, symbols in groups.items()]


def _data_fields(data: MarketInput) -> dict[str, Any]:
    match data:
        case Prices():
            return {"prices": panel_of(data.panel).to_proto()}
        case Returns():
            return {"returns": panel_of(data.panel).to_proto(), "periods_per_year": data.periods_per_year}
        case Moments():
            return {"moments": data.to_proto()}
        case Scenarios():
            return {"scenarios": data.to_proto()}
        case Stored():
            return {"market_data": data.to_proto()}


def weights_to_proto(weights: Mapping[str, float]) -> Sequence[AssetWeight]:
    """One message for each weight."""
    return [AssetWeight(symbol=symbol, weight=weight) for symbol, weight in weights.items()]


def date_to_proto(day: date | None) -> Date | None:
    """A civil date, None for none."""
    return None if day is None else Date(year=day.year, month=day.month, day=day.day)


def date_from_proto(day: Date) -> date:
    """A civil date."""
    return date(day.year, day.month, day.day)


def _days(dates: Iterable[date] | ArrayLike) -> NDArray[np.int32]:
    array = np.asarray(dates if isinstance(dates, np.ndarray) else list(dates))  # type: ignore[arg-type]  # any iterable
    if np.issubdtype(array.dtype, np.integer):
        return array.astype(np.int32)
    return array.astype("datetime64[D]").astype(np.int64).astype(np.int32)
