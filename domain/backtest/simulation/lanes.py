"""Sums of products in four lanes: the same bits on every processor, by its vector instructions.

A compiler that may reorder a sum makes as many partial sums as the processor has lanes, and results differ between
machines; one that may not waits for each addition before the next. Here there are four partial sums everywhere: entry
i belongs to that of i modulo 4, the last N modulo 4 entries to the first one, and the result is (a + b) + (c + d).
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, overload

from domain.backtest.simulation.arrays import Floats

LANES = 4

instructions: Any = cgutils  # numba does not declare types
numba_types: Any = types


def sum_of_products(left: Floats, right: Floats, start: int) -> float:
    """The sum over left (N,) times the N entries of `right` from index `start` on, counted row by row."""
    entries, lanes = right.reshape(-1)[start : start + len(left)], [0.0] * LANES
    whole = len(left) - len(left) % LANES
    for i in range(len(left)):
        lanes[i % LANES if i < whole else 0] += float(left[i]) * float(entries[i])
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])


def two_sums_of_products(left: Floats, right: Floats, start: int) -> tuple[float, float]:
    """The same, and that of the N entries which follow: left is read once for both."""
    return sum_of_products(left, right, start), sum_of_products(left, right, start + len(left))


def four_sums_of_products(left: Floats, right: Floats, start: int) -> tuple[float, float, float, float]:
    """The same for four rows: additions of one need not wait for those of another."""
    one, two = two_sums_of_products(left, right, start)
    three, four = two_sums_of_products(left, right, start + 2 * len(left))
    return one, two, three, four


def _compiled_form(sums: int) -> Any:
    """An intrinsic of numba: arguments are left, right, start and N."""

    def typed(context: Any, left: Any, right: Any, start: Any, count: Any) -> Any:
        result = numba_types.float64 if sums == 1 else numba_types.UniTuple(numba_types.float64, sums)
        return result(left, right, numba_types.intp, numba_types.intp), generate

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, right, start, count = arguments
        first, entries = (
            context.make_array(kind)(context, builder, array).data
            for kind, array in zip(signature.args[:2], (left, right), strict=True)
        )
        rows = [builder.gep(entries, [start])]
        while len(rows) < sums:
            rows.append(builder.gep(rows[-1], [count]))
        found = _sums(builder, first, rows, count)
        return found[0] if sums == 1 else context.make_tuple(builder, signature.return_type, found)

    return intrinsic(typed)


def _sums(builder: Any, left: Any, rows: list[Any], count: Any) -> list[Any]:
    """Instructions for the sums over left times each of the rows."""
    vector = ir.VectorType(ir.DoubleType(), LANES)
    totals = [instructions.alloca_once_value(builder, ir.Constant(vector, [0.0] * LANES)) for _ in rows]
    zero, one, lanes = (count.type(number) for number in (0, 1, LANES))
    whole = builder.and_(count, count.type(-LANES))

    def load(pointer: Any, i: Any) -> Any:
        return builder.load(builder.bitcast(builder.gep(pointer, [i]), vector.as_pointer()), align=8)

    def added(row: Any, total: Any, i: Any, read: Callable[[Any, Any], Any]) -> Any:
        return builder.fadd(total, builder.fmul(read(left, i), read(row, i)))

    with instructions.for_range_slice(builder, zero, whole, lanes, count.type) as (i, _):
        for row, total in zip(rows, totals, strict=True):
            builder.store(added(row, builder.load(total), i, load), total)

    def load_one(pointer: Any, i: Any) -> Any:
        return builder.load(builder.gep(pointer, [i]))

    first_lane = ir.IntType(32)(0)
    with instructions.for_range_slice(builder, whole, count, one, count.type) as (i, _):
        for row, total in zip(rows, totals, strict=True):
            before = builder.load(total)
            lane = added(row, builder.extract_element(before, first_lane), i, load_one)
            builder.store(builder.insert_element(before, lane, first_lane), total)
    found = [builder.load(total) for total in totals]
    return _sums_of_four(builder, found) if len(found) == LANES else [_sum_of_lanes(builder, one) for one in found]


def _sum_of_lanes(builder: Any, lanes: Any) -> Any:
    a, b, c, d = (builder.extract_element(lanes, ir.IntType(32)(k)) for k in range(LANES))
    return builder.fadd(builder.fadd(a, b), builder.fadd(c, d))


def _sums_of_four(builder: Any, rows: list[Any]) -> list[Any]:
    """The same for four rows at once, by additions of whole vectors."""

    def added(one: Any, other: Any, first: tuple[int, ...], second: tuple[int, ...]) -> Any:
        chosen = [ir.Constant(ir.VectorType(ir.IntType(32), LANES), list(places)) for places in (first, second)]
        return builder.fadd(*(builder.shuffle_vector(one, other, places) for places in chosen))

    pairs = [added(rows[k], rows[k + 1], (0, 4, 2, 6), (1, 5, 3, 7)) for k in (0, 2)]  # a + b and c + d of two rows
    sums = added(pairs[0], pairs[1], (0, 1, 4, 5), (2, 3, 6, 7))
    return [builder.extract_element(sums, ir.IntType(32)(k)) for k in range(LANES)]


_one, _two, _four = _compiled_form(1), _compiled_form(2), _compiled_form(4)


@overload(sum_of_products)
def _sum_of_products(left: Any, right: Any, start: Any) -> Any:
    def compiled(left: Any, right: Any, start: Any) -> Any:
        return _one(left, right, start, len(left))

    return compiled


@overload(two_sums_of_products)
def _two_sums_of_products(left: Any, right: Any, start: Any) -> Any:
    def compiled(left: Any, right: Any, start: Any) -> Any:
        return _two(left, right, start, len(left))

    return compiled


@overload(four_sums_of_products)
def _four_sums_of_products(left: Any, right: Any, start: Any) -> Any:
    def compiled(left: Any, right: Any, start: Any) -> Any:
        return _four(left, right, start, len(left))

    return compiled
