"""Figures as R prints them, and how close ours must come."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

ROUNDING = 1e-12
"""Beside half a unit of the last digit: a figure that lies on the half may be rounded either way."""

DIGITS = 7
"""Significant digits that R prints; it leaves out zeros at the end."""


def shown(printed: str, significant: int = 0) -> Any:
    """What equals a figure that is printed so: within half a unit of the last digit, or of the last significant one."""
    number = Decimal(printed)
    last = int(number.as_tuple().exponent)
    if significant and number:
        last = min(last, number.adjusted() + 1 - significant)
    return pytest.approx(float(number), rel=0.0, abs=0.5 * 10.0**last + ROUNDING)


def cells(columns: Sequence[str], rows: Mapping[str, str]) -> list[Any]:
    """A case (row, column, printed) for each cell of a printed table; NA stands where there is none."""
    return [
        pytest.param(row, column, printed, id=f"{row} of {column}")
        for row, line in rows.items()
        for column, printed in zip(columns, line.split(), strict=True)
        if printed != "NA"
    ]
