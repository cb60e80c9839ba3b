"""Sizes beyond which the matrices of a problem would not fit into memory, refused before they are made."""

from domain.errors import InvalidInput, NotSupported

MOST_ENTRIES = 50_000_000
"""Coefficients of one dense matrix: 400 MB."""


def check_constraint_count(constraints: int, symbols: int) -> None:
    """Raises InvalidInput where constraints, a vector of all symbols each, are too many."""
    if constraints * symbols > MOST_ENTRIES:
        raise InvalidInput(
            "constraints", f"constraints x symbols may be {MOST_ENTRIES:,} at most, are {constraints:,} x {symbols:,}"
        )


def check_coefficient_count(rows: int, symbols: int, sums: int) -> None:
    """Raises NotSupported where limits on sums of absolute weights, with variables of their own, are too large."""
    entries = (rows + 2 * symbols * sums) * symbols * (1 + sums)
    if entries > MOST_ENTRIES:
        raise NotSupported(
            f"limits on sums of absolute weights may have {MOST_ENTRIES:,} coefficients at most, and these of "
            f"{symbols:,} symbols have {entries:,}; leave out turnover or leverage, or symbols"
        )
