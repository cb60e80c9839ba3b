"""Field paths: prefixes from the outermost on, and symbols that appear twice."""

import pytest

from domain.errors import InvalidInput
from server.converters.paths import error_path, require_unique


def test_prefixes_are_put_before_one_another() -> None:
    with pytest.raises(InvalidInput, match="must be odd") as raised, error_path("outer"), error_path("inner[1]"):
        raise InvalidInput("field", "must be odd", "SOME_RULE")
    assert (raised.value.field, raised.value.reason) == ("outer.inner[1].field", "SOME_RULE")


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), error_path("outer"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("symbols", "field"), [(["A", "B", "A"], "x[2].symbol"), (["A", "B\u200b"], "x[1].symbol"), ([" A"], "x[0].symbol")]
)
def test_symbols_that_are_not_distinct(symbols: list[str], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        require_unique("x", symbols)
    assert raised.value.field == field


def test_symbols_that_are() -> None:
    require_unique("x", ["A", "a", "B"])
