"""The data of a request: panels, moments, scenarios, or the name of stored prices."""

from typing import Any, cast

import numpy as np
from absfinance.v1 import panel_pb2

from domain.checks import distinct_symbols
from domain.errors import InvalidInput
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.moments import Moments
from domain.market_data.panel import Panel, PricePanel, ReturnPanel, Scenarios
from domain.market_data.source import MarketInput
from server.converters.dates import days_from_proto
from server.converters.paths import error_path
from server.ports.market_data import PriceField, PriceSelection


def market_input_from_proto(
    request: Any, periods_per_year: float | None
) -> tuple[MarketInput | PriceSelection, float | None]:
    """The data of any request with an `input` oneof, and periods per year from where the request says them.

    Raises InvalidInput with the field's path from the request, also where two places say different periods.
    """
    kind = request.WhichOneof("input")
    message = getattr(request, kind)
    with error_path(kind):
        if kind == "prices":
            return prices_from_proto(message), periods_per_year
        if kind == "returns":
            return returns_from_proto(message), periods_per_year
        if kind == "market_data":
            return selection_from_proto(message).under(kind), periods_per_year
        own = message.periods_per_year if message.HasField("periods_per_year") else None
        if own is not None and periods_per_year is not None and own != periods_per_year:
            raise InvalidInput(
                "periods_per_year", f"is {own:g} here and {periods_per_year:g} at the top of the request"
            )
        periods = own if own is not None else periods_per_year
        if periods is None:
            raise InvalidInput("periods_per_year", f"must be given with {kind}")
        if kind == "moments":
            return moments_from_proto(message, periods), periods
        return scenarios_from_proto(message), periods


def prices_from_proto(panel: panel_pb2.Panel) -> PricePanel:
    """A checked panel of prices."""
    return PricePanel.of(panel.symbols, np.asarray(panel.dates, np.int32), np.asarray(panel.values))


def returns_from_proto(panel: panel_pb2.Panel) -> ReturnPanel:
    """A checked panel of simple returns."""
    return ReturnPanel.of(panel.symbols, np.asarray(panel.dates, np.int32), np.asarray(panel.values))


def volumes_from_proto(panel: panel_pb2.Panel) -> Panel:
    """A checked panel of volumes, 0 or more."""
    values = np.asarray(panel.values)
    if (values < 0).any():
        raise InvalidInput(f"values[{int(np.argmax(values < 0))}]", "a volume must be 0 or more")
    shape = (len(panel.dates), len(panel.symbols))
    grid = values.reshape(shape) if values.size == shape[0] * shape[1] else values
    return Panel(tuple(panel.symbols), np.asarray(panel.dates, np.int32), grid)


def moments_from_proto(moments: panel_pb2.Moments, periods_per_year: float) -> Moments:
    """Checked moments; expected returns that were left out are zero, and the caller sees to it that none asks."""
    given = len(moments.expected_returns) > 0
    means = np.asarray(moments.expected_returns) if given else np.zeros(len(moments.symbols))
    covariance = np.asarray(moments.covariance)
    return Moments.of(moments.symbols, means, covariance, periods_per_year, repair_covariance=moments.repair_covariance)


def scenarios_from_proto(scenarios: panel_pb2.Scenarios) -> Scenarios:
    """Checked scenarios."""
    probabilities = np.asarray(scenarios.probabilities) if scenarios.probabilities else None
    return Scenarios.of(scenarios.symbols, np.asarray(scenarios.values), probabilities)


def selection_from_proto(selection: panel_pb2.MarketDataSelection) -> PriceSelection:
    """Which stored prices are meant."""
    start = days_from_proto("start_date", selection.start_date) if selection.HasField("start_date") else None
    end = days_from_proto("end_date", selection.end_date) if selection.HasField("end_date") else None
    if start is not None and end is not None and start > end:
        raise InvalidInput("end_date", "must not be before start_date")
    distinct_symbols("symbols", selection.symbols)
    return PriceSelection(
        symbols=tuple(selection.symbols),
        universe=selection.universe or None,
        start=start,
        end=end,
        field=price_field_from_proto(selection.field),
        symbols_path="universe" if selection.universe else "symbols",
    )


def price_field_from_proto(value: panel_pb2.PriceField) -> PriceField:
    """The figure of a day; the closing price where none is said."""
    return PriceField(panel_pb2.PriceField.Name(value or panel_pb2.PRICE_FIELD_CLOSE).removeprefix("PRICE_FIELD_"))


def price_field_to_proto(field: PriceField) -> panel_pb2.PriceField:
    """The figure of a day."""
    return cast("panel_pb2.PriceField", panel_pb2.PriceField.Value(f"PRICE_FIELD_{field}"))


def missing_data_from_proto(value: panel_pb2.MissingDataPolicy) -> MissingDataPolicy:
    """The policy; FAIL where none is said."""
    name = panel_pb2.MissingDataPolicy.Name(value or panel_pb2.MISSING_DATA_POLICY_FAIL)
    return MissingDataPolicy(name.removeprefix("MISSING_DATA_POLICY_"))
