"""Symbols that look alike and are not the same are refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checks import unique_symbols
from domain.errors import InvalidInput
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel, ReturnPanel, Scenarios

INVISIBLE = [
    (" ", "U+0020", '"AAPL "'),
    ("\t", "U+0009", '"AAPL\\t"'),
    ("\n", "U+000A", '"AAPL\\n"'),
    ("\x00", "U+0000", '"AAPL\\x00"'),
    ("\xa0", "U+00A0", '"AAPL\\xa0"'),
    ("\u200b", "U+200B", '"AAPL\\u200b"'),
    ("\u3000", "U+3000", '"AAPL\\u3000"'),
    ("\ufeff", "U+FEFF", '"AAPL\\ufeff"'),
    ("\u3164", "U+3164", '"AAPL\\u3164"'),
]


@pytest.mark.parametrize(("character", "code", "spelled"), INVISIBLE)
def test_an_invisible_end_is_named(character: str, code: str, spelled: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        unique_symbols("symbols", ["MSFT", "AAPL" + character])
    assert raised.value.field == "symbols[1]"
    assert code in raised.value.rule
    assert spelled in raised.value.rule
    assert "ends with" in raised.value.rule


@given(st.text(min_size=1, max_size=4), st.sampled_from([c for c, _, _ in INVISIBLE]))
def test_no_text_hides_an_invisible_beginning(rest: str, character: str) -> None:
    with pytest.raises(InvalidInput, match="begins with"):
        unique_symbols("symbols", [character + rest])


@pytest.mark.parametrize("symbol", ["BRK.B", "BRK B", "^GSPC", "EURUSD=X", "株式", "ÖMV", "@", "X!"])
def test_what_can_be_seen_is_a_symbol(symbol: str) -> None:
    assert unique_symbols("symbols", [symbol]) == (symbol,)


def test_every_input_refuses_it() -> None:
    with pytest.raises(InvalidInput, match="ends with"):
        PricePanel.of(["A "], [1, 2], [1.0, 2.0])
    with pytest.raises(InvalidInput, match="ends with"):
        ReturnPanel.of(["A "], [1, 2], [0.1, 0.2])
    with pytest.raises(InvalidInput, match="ends with"):
        Moments.of(["A "], [0.1], [0.04], 1.0)
    with pytest.raises(InvalidInput, match="ends with"):
        Scenarios.of(["A "], [0.1, 0.2])


@pytest.mark.parametrize("symbols", [[""], ["A", ""]])
def test_an_empty_symbol_is_none(symbols: list[str]) -> None:
    with pytest.raises(InvalidInput, match="must not be empty"):
        unique_symbols("symbols", symbols)
