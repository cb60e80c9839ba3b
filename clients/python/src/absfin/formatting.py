"""Figures as text for people."""


def percent(value: float | None) -> str:
    """A fraction in percent: 0.1234 as 12.34 %."""
    return "-" if value is None else f"{value * 100:.2f} %"


def number(value: float | None) -> str:
    """A number with three decimals."""
    return "-" if value is None else f"{value:.3f}"


def money(value: float | None) -> str:
    """An amount with two decimals, thousands separated by commas."""
    return "-" if value is None else f"{value:,.2f}"


def in_words(name: str) -> str:
    """A name of the contract in words: max_drawdown as max drawdown."""
    return name.replace("_", " ")
