"""Strategies inside strategies: what they hold, where it is in a request, and how to change it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from domain.backtest.strategies.blend import Blend
from domain.backtest.strategies.history import MarketHistory
from domain.backtest.strategies.optimized import Optimized
from domain.backtest.strategies.overlays import Cppi, Overlay
from domain.backtest.strategies.protocol import DecisionWarning, Strategy
from domain.backtest.strategies.select import Select


def inner(strategy: Strategy) -> tuple[tuple[str, Strategy], ...]:
    """The strategies right inside one, each with its field path from that one on."""
    match strategy:
        case Overlay():
            return ((strategy.base_path, strategy.base),)
        case Blend():
            return tuple((strategy.path_of(i), part.strategy) for i, part in enumerate(strategy.parts))
        case Select():
            return tuple((strategy.path_of(i), candidate) for i, candidate in enumerate(strategy.candidates))
    return ()


def with_inner(strategy: Strategy, path: str = "") -> Iterator[tuple[str, Strategy]]:
    """A strategy at a path and all strategies inside it, at any depth, each with its path."""
    yield path, strategy
    for below, other in inner(strategy):
        yield from with_inner(other, f"{path}.{below}" if path else below)


def replaced(strategy: Strategy, change: Callable[[str, Strategy], Strategy], path: str = "") -> Strategy:
    """The same strategy, with each strategy without others inside it changed; `change` is told its path."""
    paths = [f"{path}.{below}" if path else below for below, _ in inner(strategy)]
    match strategy:
        case Overlay():
            return strategy.with_base(replaced(strategy.base, change, paths[0]))
        case Blend():
            parts = zip(paths, strategy.parts, strict=True)
            return strategy.with_parts(
                tuple(replace(p, strategy=replaced(p.strategy, change, below)) for below, p in parts)
            )
        case Select():
            candidates = zip(paths, strategy.candidates, strict=True)
            return strategy.with_candidates(tuple(replaced(one, change, below) for below, one in candidates))
    return change(path, strategy)


def factors_of_all(strategies: Iterable[Strategy]) -> frozenset[str]:
    """Symbols that each of some strategies estimates with and trades in none of them."""
    innermost = [one for one in strategies if not inner(one)]
    found = [one.specification.estimation.factors if isinstance(one, Optimized) else frozenset() for one in innermost]
    return frozenset.intersection(*found) if found else frozenset()


def decision_warnings(strategy: Strategy, history: MarketHistory) -> tuple[DecisionWarning, ...]:
    """What the caller should know about a decision, from the strategy and all inside it."""
    # Of the candidates of a selection those that are not asked say nothing.
    asked = strategy.deciding_on(int(history.dates[-1])) if isinstance(strategy, Select) else (strategy,)
    found = (one.warning(history) for each in asked for _, one in with_inner(each) if isinstance(one, Cppi))
    return tuple(warning for warning in found if warning is not None)


def path_of_first_date(strategy: Strategy) -> str:
    """Field path, from the strategy on, of the first of its own dates."""
    first = strategy.own_dates()[0]
    for path, one in with_inner(strategy):
        if not inner(one) and one.own_dates()[:1] == (first,):
            return f"{path}.entries[0].date" if path else "entries[0].date"
    raise ValueError("a strategy without dates of its own has no first one")
