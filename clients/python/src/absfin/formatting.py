"""Figures as text for people."""


def percent(value: float | None) -> str:
    """A fraction in percent, thousands separated by commas: 0.1234 as 12.34 %. What rounds to 0 has no minus."""
    return "-" if value is None else f"{value * 100:z,.2f} %"


def number(value: float | None, decimals: int = 3) -> str:
    """A number with decimals, thousands separated by commas. What rounds to 0 has no minus."""
    return "-" if value is None else f"{value:z,.{decimals}f}"


def money(value: float | None) -> str:
    """An amount with two decimals, thousands separated by commas."""
    return "-" if value is None else f"{value:z,.2f}"


def in_words(name: str) -> str:
    """A name of the contract in words: max_drawdown as max drawdown."""
    return name.replace("_", " ")
