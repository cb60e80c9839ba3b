"""What the sleeves of an account hold at a date, and which of their decisions wait for their fill."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.records import dataclass


class Growth(Protocol):
    """What money in each asset becomes from one date to another."""

    def __call__(self, first: int, last: int, *, from_open: bool, to_open: bool) -> Vector:
        """Factors (N,) from the close of the first date, or its open, to the close of the last one, or its open.

        NaN for an asset without a price at the first date.
        """
        ...

    def priced(self, date: int, *, at_open: bool) -> NDArray[np.bool_]:
        """Which assets have a price at the close of a date, or its open, (N,)."""
        ...


@dataclass(frozen=True, slots=True)
class Renewal:
    """A decision of some parts, at its fill; NaN where a part stays as it is."""

    fill: int  # date
    weights: Matrix  # (S, N)
    shares: Vector  # (S,)
    members: NDArray[np.bool_]  # (N,), the universe of the decision: of parts that stay the rest is sold

    def to_array(self) -> Matrix:
        """(S + 1, N + 1)."""
        parts = np.column_stack([self.weights, self.shares])
        return np.vstack([parts, np.append(self.members, self.fill)])

    @classmethod
    def from_array(cls, array: Matrix) -> "Renewal":
        """As `to_array` gave it."""
        return cls(int(array[-1, -1]), array[:-1, :-1], array[:-1, -1], array[-1, :-1] != 0.0)


@dataclass(frozen=True, slots=True)
class SleeveState:
    """S parts at one date. None of its arrays is ever written to."""

    date: int
    weights: Matrix  # (S, N), of each part; 1 - their sum is its cash
    shares: Vector  # (S,), of the parts in the account; 1 - their sum is cash
    unit_values: Vector  # (S,), value of each part, from 1 at the start, without what moves between parts
    decided: NDArray[np.int64]  # (S,), date of the last decision of each part, -1 before the first
    waiting: tuple[Renewal, ...] = ()  # in the order of their fills
    is_at_open: bool = False  # of its date, after the fills; otherwise at the close

    @classmethod
    def opened(cls, date: int, weights: Matrix, shares: Vector, waiting: tuple[Renewal, ...] = ()) -> "SleeveState":
        """Parts that have not decided."""
        return cls(date, weights, shares, np.ones(len(shares)), np.full(len(shares), -1, np.int64), waiting)

    def with_decided(self, decided: NDArray[np.int64]) -> "SleeveState":
        """The same after decisions of parts at dates (S,)."""
        return replace(self, decided=decided)

    def waiting_for(self, renewal: Renewal) -> "SleeveState":
        """The same with one more decision that waits for its fill."""
        return replace(self, waiting=(*self.waiting, renewal))

    def grown(self, growth: Vector) -> "SleeveState":
        """After money in each asset has grown by a factor, (N,); NaN where there was nothing to buy: that is cash.

        A part that has lost everything holds nothing, and what it has lost beyond that the others bear in proportion.
        """
        bought = np.where(np.isnan(growth), 0.0, self.weights)
        held = bought * np.where(np.isnan(growth), 1.0, growth)
        factors = np.maximum(held.sum(axis=1) + 1.0 - bought.sum(axis=1), 0.0)
        total = float(self.shares @ factors) + (1.0 - float(self.shares.sum()))
        alive = factors > 0.0
        weights = np.where(alive[:, None], held / np.where(alive, factors, 1.0)[:, None], 0.0)
        shares = self.shares * factors / total if total > 0.0 else np.zeros(len(factors))
        values = self.unit_values * factors
        return SleeveState(self.date, weights, shares, values, self.decided, self.waiting, self.is_at_open)

    def renewed(self, renewal: Renewal) -> "SleeveState":
        """After a decision; a part that had lost everything begins again where it is given a share."""
        kept = np.where(renewal.members, self.weights, 0.0)
        weights = np.where(np.isnan(renewal.weights), kept, renewal.weights)
        shares, values, has_share = self.shares, self.unit_values, ~np.isnan(renewal.shares)
        if has_share.any():
            shares = np.where(has_share, renewal.shares, shares)
            values = np.where(has_share & (values <= 0.0), 1.0, values)
        return SleeveState(self.date, weights, shares, values, self.decided, self.waiting, self.is_at_open)

    def at_close(self, date: int, growth: Growth, *, fills_at_open: bool) -> "SleeveState":
        """At the close of a later date, with the fills up to it."""
        state = self
        while state.waiting and state.waiting[0].fill <= date:
            state = state._filled(growth, at_open=fills_at_open)._of_priced(growth)
        return state._moved(date, growth, at_open=False)

    def at_last_fill(self, growth: Growth, *, fills_at_open: bool) -> "SleeveState":
        """After the fill of the last decision that waits for one."""
        state = self
        while state.waiting:
            state = state._filled(growth, at_open=fills_at_open)
        return state

    def _filled(self, growth: Growth, *, at_open: bool) -> "SleeveState":
        """After the fill of the first decision that waits."""
        renewal, *others = self.waiting
        return replace(self._moved(renewal.fill, growth, at_open=at_open).renewed(renewal), waiting=tuple(others))

    def _moved(self, date: int, growth: Growth, *, at_open: bool) -> "SleeveState":
        if (date, at_open) == (self.date, self.is_at_open):
            return self
        state = self.grown(growth(self.date, date, from_open=self.is_at_open, to_open=at_open))
        return replace(state, date=date, is_at_open=at_open)._of_priced(growth)

    def _of_priced(self, growth: Growth) -> "SleeveState":
        """The same without assets that have no price: what became of them, and what could not be bought, is cash."""
        priced = growth.priced(self.date, at_open=self.is_at_open)
        return self if priced.all() else replace(self, weights=np.where(priced, self.weights, 0.0))

    @property
    def sum_of_parts(self) -> Vector:
        """Weights of the account, (N,)."""
        total = np.zeros(self.weights.shape[1])
        for share, weights in zip(self.shares, self.weights, strict=True):
            total += share * weights
        return total

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Its parts (S, N + 3), the decisions that wait (P, S + 1, N + 1), and its date; it is at a close."""
        count, assets = self.weights.shape
        parts = np.column_stack([self.weights, self.shares, self.unit_values, self.decided])
        waiting = [renewal.to_array() for renewal in self.waiting]
        return {
            "parts": parts,
            "waiting": np.array(waiting).reshape(len(waiting), count + 1, assets + 1),
            "date": np.array([self.date]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "SleeveState":
        """As `to_arrays` gave it."""
        parts = arrays["parts"]
        waiting = tuple(Renewal.from_array(one) for one in arrays["waiting"])
        decided = parts[:, -1].astype(np.int64)
        return cls(int(arrays["date"][0]), parts[:, :-3], parts[:, -3], parts[:, -2], decided, waiting)
