"""Whether losses beyond value at risk are as large as forecast.

Acerbi & Szekely 2014, "Backtesting expected shortfall", MSCI Inc., tests 1 and 2. Both statistics are 0 in expectation
if the forecasts are right, and negative where risk was underestimated.
"""

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, Vector, same_length
from domain.errors import InvalidInput
from domain.records import dataclass
from domain.risk.validation.exceptions import Exceptions, series
from domain.risk.validation.simulation import ForecastSimulation
from domain.risk.validation.verdict import PValueMethod, Verdict

BLOCK = 2_000_000
"""Simulated returns to hold at once, 16 MB."""

FIVE_PERCENT, ONE_IN_TEN_THOUSAND = -0.70, -1.8
"""Critical values of Z2 in the paper, of 250 observations at 97.5 %, much the same for all but the heaviest tails."""

NO_EXCEPTION = Verdict.undefined("there is no exception")


@dataclass(frozen=True, slots=True)
class ShortfallVerdicts:
    """The two tests of Acerbi and Szekely that need no other forecast than value at risk and expected shortfall."""

    z1: Verdict  # of the size of the exceptions
    z2: Verdict  # of their number and size together


def expected_shortfall_tests(
    exceptions: Exceptions,
    expected_shortfall: Vector,
    simulation: ForecastSimulation | None = None,
    check_cancelled: CancellationCheck = never_cancelled,
) -> ShortfallVerdicts:
    """Z1 = (sum X_t I_t / ES_t) / N + 1 and Z2 = sum X_t I_t / (T p ES_t) + 1, with X the returns, I the exceptions.

    The p-value is one-sided, the fraction of simulated statistics as low: (k + 1) / (m + 1). For Z1 only simulations
    with exceptions count.
    """
    shortfall = series("forecasts.expected_shortfall", expected_shortfall)
    same_length("forecasts.expected_shortfall", shortfall, "returns", exceptions.returns)
    if (shortfall <= 0.0).any():
        return both_undefined("needs forecasts of expected shortfall above 0")
    excess, count = _sums(exceptions, shortfall, exceptions.returns[None, :])
    z2 = float(excess[0]) / exceptions.expected + 1.0
    z1 = float(excess[0]) / int(count[0]) + 1.0 if count[0] else None
    if simulation is None:
        return _without_simulation(exceptions, z1, z2)
    sums, counts = _simulated(exceptions, shortfall, simulation, check_cancelled)
    some = counts > 0
    return ShortfallVerdicts(
        z1=NO_EXCEPTION if z1 is None else _simulated_verdict(z1, sums[some] / counts[some] + 1.0),
        z2=_simulated_verdict(z2, sums / exceptions.expected + 1.0),
    )


def both_undefined(reason: str) -> ShortfallVerdicts:
    """Neither statistic, and why."""
    return ShortfallVerdicts(Verdict.undefined(reason), Verdict.undefined(reason))


def _sums(exceptions: Exceptions, shortfall: Vector, returns: Matrix) -> tuple[Vector, Vector]:
    """Sum of X I / ES, and number of exceptions, of each of M series (M, T)."""
    hits = -returns > exceptions.value_at_risk
    return np.where(hits, returns / shortfall, 0.0).sum(axis=1), hits.sum(axis=1)


def _simulated(
    exceptions: Exceptions, shortfall: Vector, simulation: ForecastSimulation, check_cancelled: CancellationCheck
) -> tuple[Vector, Vector]:
    generator = np.random.default_rng(simulation.seed)
    total = exceptions.observations
    size = max(1, BLOCK // total)
    parts = []
    for start in range(0, simulation.count, size):
        check_cancelled()
        drawn = simulation.draw(generator, min(size, simulation.count - start))
        if drawn.shape[1:] != (total,):
            raise InvalidInput("forecasts.draw", f"must draw series of {total} returns, drew {drawn.shape}")
        parts.append(_sums(exceptions, shortfall, drawn))
    return np.concatenate([sums for sums, _ in parts]), np.concatenate([counts for _, counts in parts])


def _simulated_verdict(observed: float, simulated: Vector) -> Verdict:
    as_low = int((simulated <= observed + 1e-12 * (1.0 + abs(observed))).sum())
    return Verdict(observed, (as_low + 1) / (len(simulated) + 1), PValueMethod.SIMULATED)


def _without_simulation(exceptions: Exceptions, z1: float | None, z2: float) -> ShortfallVerdicts:
    why = "the forecasts come without a distribution to simulate"
    return ShortfallVerdicts(
        z1=NO_EXCEPTION if z1 is None else Verdict(z1, reason=why),
        z2=Verdict(z2, reason=f"{why}; {_beside_the_paper(z2)}" if _as_in_the_paper(exceptions) else why),
    )


def _beside_the_paper(z2: float) -> str:
    if z2 >= FIVE_PERCENT:
        place = f"not below {FIVE_PERCENT:.2f}"
    else:
        place = f"below {FIVE_PERCENT:.2f}" if z2 >= ONE_IN_TEN_THOUSAND else f"below {ONE_IN_TEN_THOUSAND:.1f}"
    critical = "critical values of Acerbi and Szekely for 250 observations at 97.5 %: -0.70 at 5 %, -1.8 at 0.01 %"
    return f"the statistic is {place} ({critical})"


def _as_in_the_paper(exceptions: Exceptions) -> bool:
    """Whether the critical values are of a problem like this one."""
    return 200 <= exceptions.observations <= 300 and abs(exceptions.confidence_level - 0.975) < 1e-9
