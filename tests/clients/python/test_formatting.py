"""Figures as people read them."""

from absfin.formatting import money, number, percent


def test_thousands_are_separated() -> None:
    assert percent(47.119) == "4,711.90 %"
    assert number(1930.6919) == "1,930.692"
    assert number(-0.00151, 5) == "-0.00151"
    assert money(1499615.81) == "1,499,615.81"


def test_what_rounds_to_zero_has_no_minus() -> None:
    assert [shown(-1e-9) for shown in (percent, number, money)] == ["0.00 %", "0.000", "0.00"]
    assert percent(-0.0001) == "-0.01 %"


def test_what_is_not_there_is_a_dash() -> None:
    assert [shown(None) for shown in (percent, number, money)] == ["-", "-", "-"]
