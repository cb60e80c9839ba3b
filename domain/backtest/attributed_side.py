"""What the strategy or its benchmark held and earned on each date, by the groups of every level."""

from collections.abc import Mapping, Sequence

import numpy as np

from domain.backtest.daily_ledger import DailyLedger, LedgerSource
from domain.checks import Matrix, Vector
from domain.records import dataclass

OTHERS = ("costs", "fees", "cash", "financing", "trading", "withholding")
"""Parts that are no groups of assets, in the order in which they are reported."""

TRADING = OTHERS.index("trading")

LEAST_NET_WEIGHT = 1e-6
"""A group whose net weight is below this fraction of its gross weight has no return: long and short cancel."""


@dataclass(frozen=True, slots=True)
class LevelPath:
    """Groups of one level and the other parts on D dates."""

    weights: Matrix  # (D, G), at the start of each date
    contributions: Matrix  # (D, G)
    other_weights: Matrix  # (D, S), in the order of `OTHERS`
    other_contributions: Matrix  # (D, S)

    def on(self, dates: slice) -> "LevelPath":
        """The same on some of the dates."""
        return LevelPath(
            self.weights[dates], self.contributions[dates], self.other_weights[dates], self.other_contributions[dates]
        )


@dataclass(frozen=True, slots=True)
class Side:
    """One account, or none at all."""

    returns: Vector  # (D,), net
    levels: tuple[LevelPath, ...]
    exposures: Matrix  # (D, K), of all positions together to K factors
    asset_contributions: Vector  # (D,), of all positions together


def simulated_side(source: LedgerSource, members: Sequence[Matrix | None], exposures: Matrix) -> Side:
    """The side of a simulated account.

    `members` (N, G) are those of each level, None for a level on which each asset is a group; `exposures` are (N, K).
    """
    ledger = source.ledger()
    tables = [one for one in (*members, exposures) if one is not None]
    stacked = np.hstack(tables) if tables else np.zeros((exposures.shape[0], 0))
    weights, gains, gross, assets = _summed(source, stacked, whole=any(one is None for one in members))
    levels, first = [], 0
    for one in members:
        if one is None:
            levels.append(LevelPath(assets["weights"], assets["gains"], *_others(ledger)))
            continue
        last = first + one.shape[1]
        chosen = slice(first, last)
        levels.append(_level_path(weights[:, chosen], gains[:, chosen], gross[:, chosen], ledger))
        first = last
    return Side(ledger.net_return, tuple(levels), weights[:, first:], assets["total"][:, 0])


def held_symbol_side(
    returns: Vector, asset: int, cash_from: int, members: Sequence[Matrix | None], exposures: Matrix
) -> Side:
    """The side of one asset that is bought at the start and held: it is cash from date number `cash_from` on."""
    dates = len(returns)
    held = (np.arange(dates) < cash_from).astype(np.float64)
    other_weights, others = np.zeros((dates, len(OTHERS))), np.zeros((dates, len(OTHERS)))
    other_weights[:, OTHERS.index("cash")] = 1.0 - held
    others[:, OTHERS.index("cash")] = (1.0 - held) * returns
    count = exposures.shape[0]
    levels = []
    for one in members:
        row = np.zeros(count) if one is None else one[asset].copy()
        if one is None:
            row[asset] = 1.0
        weights = held[:, None] * row
        levels.append(LevelPath(weights, weights * returns[:, None], other_weights, others))
    return Side(returns, tuple(levels), held[:, None] * exposures[asset], held * returns)


def no_side(dates: int, groups: Sequence[int], factors: int) -> Side:
    """No benchmark: nothing is held and earned. `groups` are the numbers of groups of the levels."""
    others = np.zeros((dates, len(OTHERS)))
    levels = [LevelPath(np.zeros((dates, g)), np.zeros((dates, g)), others, others) for g in groups]
    return Side(np.zeros(dates), tuple(levels), np.zeros((dates, factors)), np.zeros(dates))


def _summed(
    source: LedgerSource, stacked: Matrix, *, whole: bool
) -> tuple[Matrix, Matrix, Matrix, Mapping[str, Matrix]]:
    """Weights, contributions and gross weights by the columns of `stacked` (N, C), (D, C) each; and of assets.

    Those of assets, (D, N), are kept where they are asked for as a `whole`; their sum (D, 1) always is.
    """
    dates, columns = source.dates, stacked.shape[1]
    weights, gains, gross = np.empty((dates, columns)), np.empty((dates, columns)), np.empty((dates, columns))
    count = len(stacked) if whole else 0
    kept = {"weights": np.empty((dates, count)), "gains": np.empty((dates, count)), "total": np.empty((dates, 1))}
    for chunk in source.asset_chunks():
        rows = slice(chunk.first, chunk.first + len(chunk.weights))
        kept["total"][rows, 0] = chunk.contributions.sum(axis=1)
        if whole:
            kept["weights"][rows], kept["gains"][rows] = chunk.weights, chunk.contributions
        np.matmul(chunk.weights, stacked, out=weights[rows])
        np.matmul(chunk.contributions, stacked, out=gains[rows])
        if chunk.weights.min() < 0.0:
            np.matmul(np.abs(chunk.weights), stacked, out=gross[rows])
        else:
            gross[rows] = weights[rows]
    return weights, gains, gross, kept


def _level_path(weights: Matrix, gains: Matrix, gross: Matrix, ledger: DailyLedger) -> LevelPath:
    """A level whose groups without a net weight, (D, G) all, have their gains in trading."""
    other_weights, others = _others(ledger)
    cancelled = np.abs(weights) <= LEAST_NET_WEIGHT * gross
    if (cancelled & ((gains != 0.0) | (weights != 0.0))).any():
        other_weights[:, TRADING] += np.where(cancelled, weights, 0.0).sum(axis=1)
        others[:, TRADING] += np.where(cancelled, gains, 0.0).sum(axis=1)
        weights, gains = np.where(cancelled, 0.0, weights), np.where(cancelled, 0.0, gains)
    return LevelPath(weights, gains, other_weights, others)


def _others(ledger: DailyLedger) -> tuple[Matrix, Matrix]:
    """Weights and contributions of what is no asset, (D, S) each."""
    zeros = np.zeros(len(ledger.net_return))
    weights = (ledger.spent, zeros, ledger.cash_weight, ledger.borrowed_weight, zeros, zeros)
    parts = (ledger.costs, ledger.fees, ledger.cash, ledger.financing, ledger.trading, ledger.withholding)
    return np.column_stack(weights), np.column_stack(parts)
