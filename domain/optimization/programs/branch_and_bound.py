"""Best-first branch and bound, shared by the searches for assets to hold, trades to make and risk contributions.

A node has a proven bound of all answers below it. The node with the least bound is expanded first, until no open node
can be better than the best answer found (Land & Doig 1960).
"""

import heapq
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

import numpy as np

from domain.cancellation import CancellationCheck


class Node(Protocol):
    """A part of the search, ordered by its bound."""

    @property
    def bound(self) -> float:
        """No answer below the node has a smaller value."""
        ...

    def __lt__(self, other: Any, /) -> bool:
        """By bound, then by the order in which nodes were made."""
        ...


N = TypeVar("N", bound=Node)


def expand_best_first(
    root: N | None,
    expand: Callable[[N], Iterable[N]],
    cutoff: Callable[[], float],
    check_cancelled: CancellationCheck,
) -> float:
    """Expands nodes until none has a bound below the cutoff; the least bound of the nodes left open, or infinity.

    `expand` yields the children of a node that are worth keeping open, and records answers on the way; `cutoff` is the
    value that a bound must be below, and falls as better answers are found. Raises what `check_cancelled` raises.
    """
    open_nodes = [] if root is None else [root]
    while open_nodes and open_nodes[0].bound < cutoff():
        check_cancelled()
        for child in expand(heapq.heappop(open_nodes)):
            heapq.heappush(open_nodes, child)
    return min((node.bound for node in open_nodes), default=np.inf)
