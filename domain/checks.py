"""Validators that return their argument, so that an assignment can contain the check.

Each raises `InvalidInput` with the path of the field and the rule it breaks.
"""

import math
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence, Sized

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.errors import InvalidInput

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SYMMETRY_TOLERANCE = 1e-9
"""Largest asymmetry treated as rounding, as a fraction of the largest entry."""

EIGENVALUE_TOLERANCE = 1e-10
"""Most negative eigenvalue treated as rounding, as a fraction of the largest eigenvalue."""

ROUNDING = 4e-15
"""Largest spread of returns treated as rounding: a simple return is the difference of two numbers near one."""

MOST_ASSETS = 4000
"""Assets of one covariance: 128 MB, of which some estimators and solvers hold several."""

LARGEST_FIGURE = 1e15
"""Largest absolute weight, bound or coefficient: linear solvers treat 1e20 as infinity."""

LARGEST_LEVERAGE = 1e6
"""Largest absolute weight in a simulation: of more, rounding would be larger than 1e-10 of the net asset value."""

PERCENT_SUMS = (99.0, 101.0)
"""Weights with a sum between these are taken for percentages: as fractions they would be leverage of 100."""

LEAST_FREQUENCY = 1e-6
"""Fewest periods per year: one period lasts a million years."""

LARGEST_RETURN = 1e60
"""Largest absolute return: its fourth power can still be summed."""

_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})
"""Unicode categories of separators, control and format characters."""

_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
"""Characters of other categories that show nothing."""


def finite(field: str, values: ArrayLike) -> NDArray[np.float64]:
    """The values as a float array without NaN or infinity.

    The field path ends with the index of the first bad value, in row-major order for a matrix, as it is sent.
    """
    array = np.asarray(values, dtype=np.float64)
    if np.isfinite(array).all():
        return array
    where = int(np.argmin(np.isfinite(array)))
    place = f"[{where}]" if array.ndim else ""
    raise InvalidInput(f"{field}{place}", f"must be finite, is {array.flat[where]}")


def finite_number(field: str, value: float) -> float:
    """One finite number."""
    if not math.isfinite(value):
        raise InvalidInput(field, f"must be finite, is {value}")
    return float(value)


def figure(field: str, value: float, largest: float = LARGEST_FIGURE) -> float:
    """One finite number of at most `largest` in absolute value, so that solvers can compute with it."""
    if abs(finite_number(field, value)) > largest:
        raise InvalidInput(field, f"must be at most {largest:g} in size, is {value:g}")
    return float(value)


def figures(field: str, values: ArrayLike) -> NDArray[np.float64]:
    """The same for an array; the field path ends with the index of the first bad value."""
    array = finite(field, values)
    # Check the extremes first: the absolute values of a large array would need its memory again.
    within = array.size == 0 or max(float(array.max()), -float(array.min())) <= LARGEST_FIGURE
    if not within and len(large := np.flatnonzero(np.abs(array) > LARGEST_FIGURE)):
        place = f"[{large[0]}]" if array.ndim else ""
        raise InvalidInput(
            f"{field}{place}", f"must be at most {LARGEST_FIGURE:g} in size, is {array.flat[large[0]]:g}"
        )
    return array


def positive(field: str, value: float) -> float:
    """A finite number above zero."""
    if finite_number(field, value) <= 0.0:
        raise InvalidInput(field, f"must be above 0, is {value:g}")
    return float(value)


def few_enough(field: str, size: int) -> int:
    """A number of assets whose covariance and its copies fit into memory."""
    if size > MOST_ASSETS:
        raise InvalidInput(field, f"must name {MOST_ASSETS:,} at most where a covariance is estimated, are {size:,}")
    return size


def varying(field: str, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns (T, N), none of them constant."""
    if constant_columns(columns).any():
        raise InvalidInput(field, "needs every variance above 0")
    return columns


def moderate(field: str, returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns of any shape with finite fourth powers, so that moments exist; missing ones (NaN) are allowed."""
    if (np.abs(returns) > LARGEST_RETURN).any():  # NaN compares as False
        raise InvalidInput(field, f"must hold returns of at most {LARGEST_RETURN:g}, for moments to be numbers")
    return returns


def moderate_moments(path: str, means: NDArray[np.float64], covariance: NDArray[np.float64]) -> None:
    """Checks that `moderate` returns can have these means (N,) and covariance (N, N)."""
    if (np.abs(means) > LARGEST_RETURN).any():
        raise InvalidInput(f"{path}.expected_returns", f"must be at most {LARGEST_RETURN:g} in size")
    if (np.abs(covariance) > LARGEST_RETURN**2).any():
        raise InvalidInput(f"{path}.covariance", f"must have entries of at most {LARGEST_RETURN**2:g} in size")


def frequency(field: str, periods_per_year: float) -> float:
    """Periods per year, large enough for finite annual figures."""
    if positive(field, figure(field, periods_per_year)) < LEAST_FREQUENCY:
        raise InvalidInput(field, f"must be at least {LEAST_FREQUENCY:g}, is {periods_per_year:g}")
    return float(periods_per_year)


def rounding_of(returns: NDArray[np.float64]) -> float:
    """The spread that rounding alone can give to returns of this size."""
    return rounding_of_size(float(np.abs(returns).max(initial=0.0)))


def rounding_of_size(largest: float) -> float:
    """The same where the largest size of a return is known."""
    return ROUNDING * (1.0 + largest)


def constant_columns(returns: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of N assets' returns (T, N) vary by no more than rounding, (N,)."""
    result: NDArray[np.bool_] = np.ptp(returns, axis=0) <= rounding_of(returns)
    return result


def non_negative(field: str, value: float) -> float:
    """A finite number of zero or more."""
    if finite_number(field, value) < 0.0:
        raise InvalidInput(field, f"must be 0 or more, is {value:g}")
    return float(value)


def open_fraction(field: str, value: float) -> float:
    """A number strictly between 0 and 1, with 1 - value below 1 in floating point too."""
    if not 0.0 < finite_number(field, value) < 1.0 or 1.0 - value == 1.0:
        raise InvalidInput(field, f"must lie strictly between 0 and 1, is {value:g}")
    return float(value)


def same_length(field: str, values: Sized, other: str, others: Sized) -> None:
    """Checks that two fields which describe the same items have one length."""
    if len(values) != len(others):
        raise InvalidInput(field, f"has {len(values)} entries but {other} has {len(others)}")


def unique_symbols(field: str, symbols: Sequence[str]) -> tuple[str, ...]:
    """At least one symbol, none empty or twice, none with invisible characters at its ends."""
    names = tuple(symbols)
    if not names:
        raise InvalidInput(field, "must name at least one symbol")
    distinct_symbols(field, names)
    return names


def distinct_symbols(field: str, symbols: Sequence[str], suffix: str = "") -> None:
    """Raises InvalidInput for a symbol that appears twice, is empty, or has invisible characters at its ends.

    The message names `field[i]` and the suffix.
    """
    # The usual case first: a panel is checked at every decision of a backtest.
    together = "".join(symbols)
    if together.isascii() and together.isalnum() and all(symbols) and len(set(symbols)) == len(symbols):
        return
    seen: set[str] = set()
    for i, symbol in enumerate(symbols):
        if not (symbol.isascii() and symbol[:1].isalnum() and symbol[-1:].isalnum()):
            visible_symbol(f"{field}[{i}]{suffix}", symbol)
        if symbol in seen:
            raise InvalidInput(f"{field}[{i}]{suffix}", f"{symbol} appears twice")
        seen.add(symbol)


def visible_symbol(field: str, symbol: str) -> str:
    """A symbol that is not empty and neither begins nor ends with a space or another invisible character."""
    if not symbol:
        raise InvalidInput(field, "must not be empty")
    for place, character in (("begins", symbol[0]), ("ends", symbol[-1])):
        if _is_invisible(character):
            name = unicodedata.name(character, "a control character")
            what = f"the invisible character U+{ord(character):04X} ({name})"
            raise InvalidInput(field, f'"{_spelled(symbol)}" {place} with {what}; remove it')
    return symbol


def _is_invisible(character: str) -> bool:
    return character in _BLANK_LETTERS or unicodedata.category(character) in _INVISIBLE


def _spelled(symbol: str) -> str:
    """The symbol with invisible characters other than plain spaces as escapes."""
    return "".join(
        character if character == " " or not _is_invisible(character) else ascii(character)[1:-1]
        for character in symbol
    )


def group_members(field: str, name: str, members: Collection[str]) -> None:
    """Checks that a group of symbols has members, each once."""
    if not members:
        raise InvalidInput(f"{field}.symbols", f"group {name} must have a member")
    seen: set[str] = set()
    for j, member in enumerate(members):
        if member in seen:
            raise InvalidInput(f"{field}.symbols[{j}]", f"{member} appears twice in group {name}")
        seen.add(member)


def known_members(field: str, groups: Mapping[str, Collection[str]], symbols: Collection[str]) -> None:
    """Checks that every member of every group is one of the symbols; `field` is the path of the list of groups."""
    known = set(symbols)
    for i, (name, members) in enumerate(groups.items()):
        for j, member in enumerate(members):
            if member not in known:
                raise InvalidInput(f"{field}[{i}].symbols[{j}]", f"{member} of {name} is not a symbol of the input")


def fractions_of_one(field: str, values: Iterable[float]) -> None:
    """Checks that weights are not percentages: a sum of 99 to 101 has the reason WEIGHTS_LOOK_LIKE_PERCENT."""
    total = sum(values)
    if PERCENT_SUMS[0] <= total <= PERCENT_SUMS[1]:
        rule = f"must be fractions, 0.6 for 60 %: they sum to {total:.6g}, so divide them by 100"
        raise InvalidInput(field, rule, "WEIGHTS_LOOK_LIKE_PERCENT")


def square(field: str, values: ArrayLike, size: int) -> Matrix:
    """A finite (size, size) matrix, from one of that shape or from its row-major entries."""
    array = np.asarray(values, dtype=np.float64)
    if array.size != size * size or array.ndim not in (1, 2) or (array.ndim == 2 and array.shape != (size, size)):
        raise InvalidInput(field, f"must have {size} x {size} = {size * size} entries, has {array.size}")
    finite(field, array)
    return array.reshape(size, size)


def symmetric(field: str, matrix: Matrix) -> Matrix:
    """The matrix made exactly symmetric; an asymmetry above SYMMETRY_TOLERANCE raises InvalidInput."""
    if (matrix == matrix.T).all():
        return matrix
    scale = float(np.abs(matrix).max(initial=0.0))
    gap = np.abs(matrix - matrix.T)
    worst = float(gap.max(initial=0.0))
    if worst > SYMMETRY_TOLERANCE * scale:
        i, j = (int(k) for k in np.unravel_index(int(gap.argmax()), gap.shape))
        raise InvalidInput(field, f"must be symmetric, but [{i}, {j}] and [{j}, {i}] differ by {worst:.6g}")
    # Half of each first: the sum of two entries near the float limit would overflow.
    return 0.5 * matrix + 0.5 * matrix.T


def freeze(array: NDArray[np.float64]) -> NDArray[np.float64]:
    """A read-only view, for the fields of frozen dataclasses."""
    view = array.view()
    view.flags.writeable = False
    return view
