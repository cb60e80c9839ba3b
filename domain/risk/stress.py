"""Stress scenarios of a portfolio: historical windows, shocks, or another covariance.

The portfolio is bought at the start of a scenario and held to its end, so that the contributions of the assets add up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.market_data.panel import Days, ReturnPanel, civil_date
from domain.records import dataclass
from domain.risk.factors import FactorDecomposition
from domain.risk.model import RiskModel
from domain.risk.shocks import conditional_shock, factor_shock, stressed_covariance
from domain.risk.stress_windows import (
    KNOWN_WINDOWS,
    HistoricalWindow,
    Stretch,
    days_of,
    known_window,
    stretch_of,
    worst_stretches,
)

EVERY_WINDOW = "*"
MOST_VOLATILE = 1e6
NOT_COVERED = "the data does not cover all of {start} to {end}"
BEYOND_NUMBERS = "the shocks are too large for a number"
NO_LOSS = "no window of {periods} periods has a loss"


@dataclass(frozen=True, slots=True)
class AssetShocks:
    """Returns of assets or groups by name; `propagate` moves the others as is to be expected of them then."""

    shocks: Mapping[str, float]
    propagate: bool = False


@dataclass(frozen=True, slots=True)
class FactorShocks:
    """Returns of factors by name; the other factors and the assets follow."""

    shocks: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CorrelationStress:
    """All correlations a fraction of the way towards one number, volatilities multiplied."""

    correlation: float
    fraction: float
    volatility_factor: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.volatility_factor <= MOST_VOLATILE:
            raise InvalidInput("volatility_factor", f"must lie between 0 and {MOST_VOLATILE:g}")


@dataclass(frozen=True, slots=True)
class WorstWindows:
    """The stretches of so many periods with the largest losses."""

    periods: int
    count: int = 1


ScenarioKind = HistoricalWindow | str | AssetShocks | FactorShocks | CorrelationStress | WorstWindows
"""A str is the name of a known window, or EVERY_WINDOW."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A state of the market, under the caller's label."""

    label: str
    kind: ScenarioKind


@dataclass(frozen=True, slots=True)
class StressResult:
    """The result of a scenario; a figure it lacks is None, with a reason in `undefined` where one is expected."""

    label: str
    portfolio_return: float | None = None
    proposed_return: float | None = None
    volatility_annual: float | None = None
    proposed_volatility_annual: float | None = None
    start: date | None = None
    end: date | None = None
    asset_returns: Vector | None = None  # (N,)
    contributions: Vector | None = None  # (N,), weight x return
    undefined: str = ""


@dataclass(frozen=True, slots=True)
class StressedPortfolio:
    """A portfolio and all that scenarios may ask about its market."""

    symbols: tuple[str, ...]
    weights: Vector  # (N,)
    model: RiskModel | None
    returns: ReturnPanel | None = None
    start: int | None = None
    dropped: Days | None = None  # dates whose returns are left out
    proposed: Vector | None = None  # (N,)
    groups: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    factors: FactorDecomposition | None = None

    def results(
        self,
        scenarios: Sequence[Scenario],
        most: int | None = None,
        check_cancelled: CancellationCheck = never_cancelled,
    ) -> tuple[StressResult, ...]:
        """The results in the order of the scenarios; one may have several, all at most `most` figures of assets.

        Raises InvalidInput with the path of the scenario for names that are not there, and for data it cannot do
        without.
        """
        results: list[StressResult] = []
        for place, scenario in enumerate(scenarios):
            check_cancelled()
            try:
                results.extend(self._results(scenario))
            except InvalidInput as error:
                raise error.with_path_prefix(f"stress[{place}].{_FIELDS[type(scenario.kind)]}") from None
            count = max(len(results), len(scenarios)) * len(self.symbols)
            if most is not None and count > most:
                raise InvalidInput(
                    "stress",
                    f"results x assets must be at most {most:,}, are at least {count:,}; request fewer scenarios",
                )
        return tuple(results)

    def _results(self, scenario: Scenario) -> Sequence[StressResult]:
        match scenario.kind:
            case AssetShocks() as shocks:
                return [self._shocked(scenario.label, self._asset_returns(shocks))]
            case FactorShocks() as shocks:
                return [self._shocked(scenario.label, self._factor_returns(shocks))]
            case CorrelationStress() as stress:
                return [self._under_covariance(scenario.label, stress)]
            case WorstWindows() as worst:
                return self._worst(scenario.label, worst)
            case HistoricalWindow() as window:
                return [self._in_window(_named(scenario.label, window.name), window)]
            case str() as name if name == EVERY_WINDOW:
                found = [self._in_window(_named(scenario.label, known.name), known) for known in KNOWN_WINDOWS]
                return [result for result in found if not result.undefined]
            case str() as name:
                return [self._in_window(_named(scenario.label, name), known_window(name))]

    def _in_window(self, label: str, window: HistoricalWindow) -> StressResult:
        stretch = stretch_of(window, self._history(), self.start, self.dropped)
        if stretch is None:
            return StressResult(label, undefined=NOT_COVERED.format(start=window.start, end=window.end))
        return self._over(label, stretch)

    def _worst(self, label: str, worst: WorstWindows) -> Sequence[StressResult]:
        stretches = worst_stretches(self._history(), self.weights, worst.periods, worst.count)
        if not stretches:
            return [StressResult(label, undefined=NO_LOSS.format(periods=worst.periods))]
        return [self._over(label, stretch) for stretch in stretches]

    def _over(self, label: str, stretch: Stretch) -> StressResult:
        first, last = days_of(stretch, self._history().dates, self.start)
        return self._shocked(
            label,
            stretch.asset_returns,
            start=None if first is None else civil_date(first),
            end=civil_date(last),
        )

    def _shocked(self, label: str, returns: Vector, start: date | None = None, end: date | None = None) -> StressResult:
        with np.errstate(over="ignore", invalid="ignore"):
            contributions = self.weights * returns + 0.0  # a weight of zero gives 0, not -0
            portfolio = float(contributions.sum())
            proposed = None if self.proposed is None else float(self.proposed @ returns)
        if not np.isfinite([portfolio, proposed or 0.0]).all() or not np.isfinite(returns).all():
            return StressResult(label, start=start, end=end, undefined=BEYOND_NUMBERS)
        return StressResult(
            label,
            portfolio_return=portfolio,
            proposed_return=proposed,
            start=start,
            end=end,
            asset_returns=returns,
            contributions=contributions,
        )

    def _under_covariance(self, label: str, stress: CorrelationStress) -> StressResult:
        model = self._known_model()
        periods = model.moments.periods_per_year
        covariance = stressed_covariance(
            model.moments.covariance, stress.correlation, stress.fraction, stress.volatility_factor
        )

        def volatility(weights: Vector) -> float:
            return float(np.sqrt(max(float(weights @ covariance @ weights), 0.0) * periods))

        return StressResult(
            label,
            volatility_annual=volatility(self.weights),
            proposed_volatility_annual=None if self.proposed is None else volatility(self.proposed),
        )

    def _asset_returns(self, shocks: AssetShocks) -> Vector:
        shocked = np.zeros(len(self.symbols), dtype=bool)
        sizes = np.zeros(len(self.symbols))
        position = {symbol: i for i, symbol in enumerate(self.symbols)}
        # Groups first, so that a shock on one of their assets counts before theirs.
        for place, (name, size) in sorted(enumerate(shocks.shocks.items()), key=lambda item: item[1][0] in position):
            inside: NDArray[np.bool_] | int
            if name in position:
                inside = position[name]
            elif name in self.groups:
                inside = self.groups[name]
            else:
                raise InvalidInput(f"shocks[{place}].name", f"{name} is neither a symbol of the input nor a group")
            shocked[inside] = True
            sizes[inside] = size
        if not shocks.propagate:
            return sizes
        # A loss can be no more than everything.
        return np.maximum(conditional_shock(self._known_model().moments.covariance, shocked, sizes), -1.0)

    def _factor_returns(self, shocks: FactorShocks) -> Vector:
        if self.factors is None:
            raise InvalidInput("shocks", "need factors in the request")
        names = self.factors.names
        known = set(names)
        for place, name in enumerate(shocks.shocks):
            if name not in known:
                raise InvalidInput(f"shocks[{place}].name", f"{name} is not a factor of the request")
        shocked = np.array([name in shocks.shocks for name in names])
        sizes = np.array([shocks.shocks.get(name, 0.0) for name in names])
        return np.maximum(factor_shock(self.factors, shocked, sizes), -1.0)

    def _history(self) -> ReturnPanel:
        if self.returns is None:
            raise InvalidInput("", "needs prices or returns as the input, with their dates")
        return self.returns

    def _known_model(self) -> RiskModel:
        if self.model is None:
            raise InvalidInput("", "needs a covariance: at least two returns")
        return self.model


_FIELDS = {
    HistoricalWindow: "historical",
    str: "historical",
    AssetShocks: "assets",
    FactorShocks: "factors",
    CorrelationStress: "correlation",
    WorstWindows: "worst_windows",
}


def _named(label: str, window: str) -> str:
    return f"{label}: {window}" if label and window else label or window
