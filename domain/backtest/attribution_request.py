"""What to attribute the return of a backtest to: kinds of labels of assets, factors, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

import numpy as np
from numpy.typing import NDArray

from domain.attribution.factors import FactorExposures
from domain.attribution.settings import AttributionSettings
from domain.checks import Matrix
from domain.errors import InvalidInput
from domain.market_data.panel import Panel
from domain.portfolio import positions
from domain.records import dataclass

UNLABELLED = "unlabelled"
"""Name of the part of assets without a label."""

ASSET = "asset"
"""The kind of the level on which each asset is a group."""

PATH = "analysis.attribution"


@dataclass(frozen=True, slots=True)
class Level:
    """Groups of all assets by one kind of labels."""

    kind: str
    names: tuple[str, ...]  # (G,), in the order of their first assets
    group: NDArray[np.int64]  # (N,), of each asset
    has_unlabelled: bool  # whether the last group is of the assets without a label

    @property
    def members(self) -> Matrix:
        """The groups as columns (N, G), 1 for a member."""
        found = np.zeros((len(self.group), len(self.names)))
        found[np.arange(len(self.group)), self.group] = 1.0
        return found

    def is_labelled(self, asset: int) -> bool:
        """Whether an asset has a label."""
        return not (self.has_unlabelled and int(self.group[asset]) == len(self.names) - 1)


@dataclass(frozen=True, slots=True)
class AttributionRequest:
    """What to attribute to. Labels are groups of symbols that are named "kind=name"."""

    settings: AttributionSettings = field(default_factory=AttributionSettings)
    kinds: tuple[str, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of the request
    stored_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    daily: bool = False
    factors: FactorExposures | None = None
    regression_factors: Panel | None = None

    def __post_init__(self) -> None:
        for i, kind in enumerate(self.kinds):
            if "=" in kind:
                raise InvalidInput(f"{PATH}.groups[{i}]", f"must be a kind of labels without '=', is {kind}")
            if kind in self.kinds[:i]:
                raise InvalidInput(f"{PATH}.groups[{i}]", f"{kind} appears twice")
        for i, label in enumerate(self.labels):
            kind, equals, name = label.partition("=")
            if not (kind and equals and name):
                raise InvalidInput(f"{PATH}.asset_groups[{i}].name", f'must be "kind=name", is {label}')
            if kind not in self.kinds:
                raise InvalidInput(f"{PATH}.asset_groups[{i}].name", f"is of the kind {kind}, which groups do not name")

    @property
    def stored_kinds(self) -> tuple[str, ...]:
        """Kinds whose labels are those of stored instruments."""
        given = {label.partition("=")[0] for label in self.labels}
        return tuple(kind for kind in self.kinds if kind not in given)

    def with_stored_labels(self, labels: Mapping[str, tuple[str, ...]]) -> "AttributionRequest":
        """The same with labels of stored instruments."""
        return replace(self, stored_labels=labels)

    def levels(self, symbols: Sequence[str]) -> tuple[Level, ...]:
        """Groups of the assets by each kind. Raises InvalidInput for a kind of which no asset has a label."""
        if not self.kinds:
            return (Level(ASSET, tuple(symbols), np.arange(len(symbols)), has_unlabelled=False),)
        self._refuse_unknown(symbols)
        return tuple(self._level(i, symbols) for i in range(len(self.kinds)))

    def _level(self, i: int, symbols: Sequence[str]) -> Level:
        kind, place = self.kinds[i], positions(tuple(symbols))
        labels = self.stored_labels if kind in self.stored_kinds else self.labels
        group: dict[int, str] = {}
        for label, members in labels.items():
            if label.partition("=")[0] == kind:
                group.update({place[symbol]: label.partition("=")[2] for symbol in members if symbol in place})
        if not group:
            rule = f"no asset of the input has a label of the kind {kind}: label the instruments, or send asset_groups"
            raise InvalidInput(f"{PATH}.groups[{i}]", rule)
        names = list(dict.fromkeys(group[j] for j in sorted(group)))
        column = {name: g for g, name in enumerate(names)}
        has_unlabelled = len(group) < len(symbols)
        groups = np.array([column[group[j]] if j in group else len(names) for j in range(len(symbols))], np.int64)
        shown = (*names, UNLABELLED) if has_unlabelled else tuple(names)
        return Level(kind, shown, groups, has_unlabelled)

    def _refuse_unknown(self, symbols: Sequence[str]) -> None:
        """Raises InvalidInput for labels of symbols that are not in the input, and for two of one kind."""
        known, seen = set(symbols), set[tuple[str, str]]()
        for i, (label, members) in enumerate(self.labels.items()):
            kind = label.partition("=")[0]
            for j, symbol in enumerate(members):
                path = f"{PATH}.asset_groups[{i}].symbols[{j}]"
                if symbol not in known:
                    raise InvalidInput(path, f"{symbol} is not a symbol of the input")
                if (kind, symbol) in seen:
                    raise InvalidInput(path, f"{symbol} has a label of the kind {kind} already")
                seen.add((kind, symbol))
