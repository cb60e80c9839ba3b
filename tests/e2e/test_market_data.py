"""Imports are whole or not there, come back as they went in, and feed every call that names them."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import grpc
import numpy as np
import pytest
from absfin import Client, Instrument, Panel, Prices, Stored, errors, min_risk, weight_bounds
from absfin.constraints import group_bounds
from absfin.requests import import_requests
from absfinance.v1.market_data_service_pb2 import ImportPricesRequest
from absfinance.v1.market_data_service_pb2_grpc import MarketDataServiceStub

DAYS = np.arange(10_000, 10_800, dtype=np.int32)  # 1997-05-19 to 1999-07-27, over two turns of the year


def panel(symbols: str, seed: int, days: np.ndarray = DAYS) -> Panel:
    steps = np.random.default_rng(seed).normal(0.0003, 0.01, (len(days), len(symbols)))
    return Panel(tuple(f"{seed}{s}" for s in symbols), days, 100 * np.exp(np.cumsum(steps, axis=0)))


@pytest.fixture(scope="module")
def client(server: Any) -> Iterator[Client]:
    with Client(server.address) as opened:
        yield opened


def test_what_goes_in_comes_out(client: Client) -> None:
    sent = panel("ABC", 1)
    seen: list[tuple[int, int]] = []
    receipt = client.import_prices(sent, on_progress=lambda done, total: seen.append((done, total)))
    assert (receipt.inserted, receipt.changed, receipt.unchanged, receipt.symbols) == (2400, 0, 0, 3)
    assert seen[-1] == (2400, 2400)
    back = client.prices(Stored(symbols=sent.symbols))
    assert back.symbols == sent.symbols
    assert (back.dates == sent.dates).all()
    assert (back.values == sent.values).all()


def test_the_same_import_again_changes_nothing(client: Client) -> None:
    sent = panel("AB", 2)
    first = client.import_prices(sent, import_id="again")
    assert client.import_prices(sent, import_id="again") == first
    other = client.import_prices(sent, import_id="again under another id")
    assert (other.inserted, other.changed, other.unchanged) == (0, 0, 1600)


def test_an_id_belongs_to_one_content(client: Client) -> None:
    client.import_prices(panel("A", 3), import_id="mine")
    with pytest.raises(errors.InvalidInput, match="used before"):
        client.import_prices(panel("B", 3), import_id="mine")
    with pytest.raises(errors.MissingMarketData):
        client.prices(Stored(symbols=["3B"]))


def test_a_range_without_prices_names_the_selection(client: Client) -> None:
    sent = panel("A", 31)
    client.import_prices(sent)
    with pytest.raises(errors.MissingMarketData, match="1997-05-19 to 1999-07-27") as raised:
        client.prices(Stored(symbols=sent.symbols, start=date(2020, 1, 1)))
    assert raised.value.metadata["field"] == "selection"


def test_later_imports_correct_and_extend(client: Client) -> None:
    sent = panel("A", 4)
    client.import_prices(sent)
    corrected = Panel(("4A",), np.array([10_799, 10_900], np.int32), np.array([[1.5], [2.5]]))
    receipt = client.import_prices(corrected)
    assert (receipt.inserted, receipt.changed) == (1, 1)
    back = client.prices(Stored(symbols=["4A"]))
    assert back.values[-2:].ravel().tolist() == [1.5, 2.5]
    assert (back.values[:-2] == sent.values[:-1]).all()


def test_nan_carries_no_value_and_overwrites_none(client: Client) -> None:
    client.import_prices(Panel(("5A", "5B"), np.array([1, 2], np.int32), np.array([[1.0, np.nan], [2.0, 3.0]])))
    client.import_prices(Panel(("5A",), np.array([1], np.int32), np.array([[np.nan]])))
    back = client.prices(Stored(symbols=["5A", "5B"]))
    assert back.values[:, 0].tolist() == [1.0, 2.0]
    assert np.isnan(back.values[0, 1])
    with pytest.raises(errors.InvalidInput, match="5B has no value on 1970-01-02"):
        client.optimize(Stored(symbols=["5A", "5B"]), min_risk())


def cut_off(symbol: str) -> Iterator[ImportPricesRequest]:
    pieces = list(
        import_requests(panel(symbol, 6), field="close", source="", import_id=f"cut {symbol}", on_progress=None)
    )
    return iter(pieces[:-1])


def wrong_count(symbol: str) -> Iterator[ImportPricesRequest]:
    yield from cut_off(symbol)
    yield ImportPricesRequest(footer=ImportPricesRequest.Footer(value_count=799))


def bad_last_chunk(symbol: str) -> Iterator[ImportPricesRequest]:
    yield from cut_off(symbol)
    yield ImportPricesRequest(chunk=Panel(("6Z",), np.array([1], np.int32), np.array([[-1.0]])).to_proto())


def no_header(symbol: str) -> Iterator[ImportPricesRequest]:
    pieces = cut_off(symbol)
    next(pieces)
    yield from pieces


BROKEN = {"A": cut_off, "B": wrong_count, "C": bad_last_chunk, "D": no_header}


@pytest.mark.parametrize(("symbol", "pieces"), BROKEN.items())
def test_a_broken_import_stores_nothing(
    channel: grpc.Channel, client: Client, symbol: str, pieces: Callable[[str], Iterator[ImportPricesRequest]]
) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        MarketDataServiceStub(channel).ImportPrices(pieces(symbol), timeout=30)
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(errors.MissingMarketData):
        client.prices(Stored(symbols=[f"6{symbol}"]))


def test_a_client_that_dies_in_the_middle_stores_nothing(server: Any, client: Client) -> None:
    def pieces() -> Iterator[ImportPricesRequest]:
        yield from cut_off("E")
        raise ConnectionError("the client is gone")

    with server.channel() as channel, pytest.raises(grpc.RpcError):
        MarketDataServiceStub(channel).ImportPrices(pieces(), timeout=30)
    with pytest.raises(errors.MissingMarketData):
        client.prices(Stored(symbols=["6E"]))


def test_groups_of_instruments_bind_in_problems(client: Client) -> None:
    sent = panel("ABCD", 7)
    client.import_prices(sent)
    labels = {"7A": "Tech", "7B": "Tech", "7C": "Oil", "7D": "Oil"}
    instruments = [Instrument(symbol, currency="USD", groups={"sector7": name}) for symbol, name in labels.items()]
    assert client.upsert_instruments(instruments) == 4
    listed = {item.symbol: item for item in client.instruments(group="sector7=Tech")}
    assert list(listed) == ["7A", "7B"]
    answer = client.optimize(
        Stored(symbols=sent.symbols), min_risk(), constraints=[group_bounds("sector7=Tech", upper=0.1, label="tech")]
    )
    assert answer.weights["7A"] + answer.weights["7B"] == pytest.approx(0.1, abs=1e-8)
    assert "tech" in {binding.label for binding in answer.binding}
    universe = client.optimize(Stored(universe="sector7=Oil"), min_risk())
    assert set(universe.weights) == {"7C", "7D"}


def test_instruments_come_in_pages(wire: Any, client: Client) -> None:
    client.upsert_instruments([Instrument(f"8{i:03}", groups={"page8": "x"}) for i in range(25)])
    found: list[str] = []
    token = ""
    for _ in range(100):
        page = wire.call("MarketDataService/ListInstruments", {"pageSize": 10, "pageToken": token, "group": "page8=x"})
        found += [item["symbol"] for item in page["instruments"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert not token, "the pages never end"
    assert found == [f"8{i:03}" for i in range(25)]


def test_stored_and_inline_prices_give_the_same_answer(client: Client) -> None:
    sent = panel("ABCDE", 9)
    client.import_prices(sent)
    caps = [weight_bounds(upper=0.4, label="caps")]
    inline = client.optimize(Prices(sent), min_risk(), constraints=caps)
    stored = client.optimize(Stored(symbols=sent.symbols), min_risk(), constraints=caps)
    assert stored.weights == inline.weights
    part = client.optimize(Stored(symbols=sent.symbols, start=None, end=None), min_risk())
    assert part.periods_per_year == 365  # dates on every day of the week


def test_an_empty_range_says_what_there_is(wire: Any, client: Client) -> None:
    client.import_prices(panel("F", 10))
    selection = {"symbols": ["10F"], "startDate": {"year": 2020, "month": 1, "day": 1}}
    refusal = wire.refused("OptimizationService/Optimize", {"marketData": selection, "objective": {"minRisk": {}}})
    assert refusal.code == "NOT_FOUND"
    assert "1997-05-19 to 1999-07-27" in refusal.message


def test_a_price_of_zero_is_not_stored(client: Client) -> None:
    """Nothing follows what is worthless, and a store cannot know what a later import brings."""
    with pytest.raises(errors.InvalidInput, match="must be above 0, is 0 for 90Z"):
        client.import_prices(Panel.of(["90Z"], [18000, 18001], [[1.0], [0.0]]))


def test_a_date_that_cannot_be_read_back_is_not_stored(client: Client) -> None:
    with pytest.raises(errors.InvalidInput, match="20240102 looks like YYYYMMDD"):
        client.import_prices(Panel(("91Z",), np.array([20240102, 20240103], np.int32), np.ones((2, 1))))
