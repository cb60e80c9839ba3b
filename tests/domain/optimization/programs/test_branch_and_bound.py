"""Against every selection of a small knapsack, and the bound of what is left open."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pytest

from domain.cancellation import never_cancelled
from domain.optimization.programs.branch_and_bound import expand_best_first


@dataclass(order=True)
class Part:
    bound: float
    number: int
    decided: tuple[int, ...] = field(compare=False)


@pytest.mark.parametrize("seed", range(20))
def test_the_best_of_all_selections_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, sizes = rng.random(8), rng.random(8)
    room, best, made = 0.4 * sizes.sum(), [0.0], [0]

    def children(node: Part) -> Iterator[Part]:
        for taken in (0, 1):
            decided = (*node.decided, taken)
            count = len(decided)
            if float(sizes[:count] @ decided) > room:
                continue
            value = -float(values[:count] @ decided)
            best[0] = min(best[0], value)
            bound = value - float(values[count:].sum())
            if count < len(values) and bound < best[0]:
                made[0] += 1
                yield Part(bound, made[0], decided)

    root = Part(-float(values.sum()), 0, ())
    left = expand_best_first(root, children, lambda: best[0], never_cancelled)
    all_values = [-float(values @ one) for one in product((0, 1), repeat=8) if float(sizes @ one) <= room]
    assert best[0] == pytest.approx(min(all_values))
    assert left >= best[0]


def test_without_a_root_nothing_is_open() -> None:
    assert expand_best_first(None, lambda _: (), lambda: 0.0, never_cancelled) == np.inf


def test_it_stops_where_the_caller_does() -> None:
    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        expand_best_first(Part(0.0, 0, ()), lambda _: (), lambda: 1.0, stop)
