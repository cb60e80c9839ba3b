"""Entropic and relativistic value at risk: the worst mean loss over distributions close to the given one."""

from collections.abc import Callable

import numpy as np

from domain.checks import Vector

KAPPA = 0.3
"""Deformation of the relativistic entropy, 0 < kappa < 1: towards 0 it is EVaR, towards 1 the worst outcome."""

STEPS = 200
STEEPEST = 1e-9
"""Slope, in units of the losses' spread, at which what is left of the worst outcome to win is about that."""


def entropic_value_at_risk(losses: Vector, probabilities: Vector, confidence_level: float) -> float:
    """inf over z > 0 of z ln(E exp(loss / z) / (1 - confidence)) (Ahmadi-Javid 2012, definition 3.1)."""
    return float(entropic_weights(losses, probabilities, confidence_level) @ losses)


def entropic_weights(losses: Vector, probabilities: Vector, confidence_level: float) -> Vector:
    """The distribution q (S,) with the highest mean loss, the EVaR, among those close to p (S,).

    Close is a relative entropy of at most -ln(1 - confidence). The q are exponential tilts of p, so one number is
    searched for.
    """
    result = np.zeros(len(losses))
    possible = probabilities > 0.0
    losses, probabilities = losses[possible], probabilities[possible]
    worst, spread = float(losses.max()), float(np.ptp(losses))
    room = -np.log(1.0 - confidence_level)
    at_worst = np.where(losses == worst, probabilities, 0.0)
    if spread == 0.0 or -np.log(float(at_worst.sum())) <= room:
        result[possible] = at_worst / at_worst.sum()
        return result
    scaled = (losses - worst) / spread

    def tilted(tilt: float) -> tuple[Vector, float]:
        weights = probabilities * np.exp(tilt * scaled)
        total = float(weights.sum())
        q = weights / total
        return q, tilt * float(q @ scaled) - float(np.log(total))

    low, high = 0.0, 1.0
    while tilted(high)[1] < room and high < 1e12:
        low, high = high, 2.0 * high
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if tilted(middle)[1] < room else (low, middle)
        if high - low <= 1e-15 * high:
            break
    result[possible] = tilted(0.5 * (low + high))[0]
    return result


def relativistic_value_at_risk(losses: Vector, confidence_level: float, kappa: float = KAPPA) -> float:
    """The highest q-mean loss over distributions q of bounded Kaniadakis entropy (Cajas 2021, "RLVaR")."""
    return float(relativistic_weights(losses, confidence_level, kappa) @ losses)


def relativistic_weights(losses: Vector, confidence_level: float, kappa: float = KAPPA) -> Vector:
    """The distribution q (T,) whose mean loss is the RLVaR.

    Over T equally likely losses: sum (q^(1 + k) - q^(1 - k)) / 2k <= ln_k(1 / (T (1 - confidence))), where ln_k(x) is
    (x^k - x^-k) / 2k. Two nested searches: the optimal q of a slope z and a level t has a closed form.
    """
    count = len(losses)
    worst, spread = float(losses.max()), float(np.ptp(losses))
    if not np.isfinite(spread):
        return np.full(count, np.nan)  # losses too large to be subtracted have no figure
    room = deformed_logarithm(1.0 / (count * (1.0 - confidence_level)), kappa)
    # Many equally bad losses spread q, and so does a tail of less than one of them.
    at_worst = (losses == worst).astype(np.float64)
    ties = float(at_worst.sum())
    if spread == 0.0 or -deformed_logarithm(ties, kappa) <= room:
        shared: Vector = at_worst / ties
        return shared
    scaled = (losses - worst) / spread

    def weights(slope: float) -> Vector:
        """q for one slope, its level such that it sums to 1."""

        def at(level: float) -> Vector:
            y = kappa * (scaled - level) / slope
            root = np.sqrt(y * y + 1.0 - kappa**2)
            # The root of (1 + k) u^2 - 2y u - (1 - k) in the form that does not cancel for y < 0.
            u = np.where(y > 0.0, (y + root) / (1.0 + kappa), (1.0 - kappa) / (root + np.abs(y)))
            result: Vector = u ** (1.0 / kappa)
            return result

        return at(_crossing(lambda level: 1.0 - float(at(level).sum()), -1.0, 1.0))

    def entropy(slope: float) -> float:
        q = weights(slope)
        return float((q ** (1.0 + kappa) - q ** (1.0 - kappa)).sum()) / (2.0 * kappa)

    steepest = float(np.log(STEEPEST))
    if entropy(STEEPEST) < room:
        # Losses that are equal but for rounding share the tail: what is left to gain is less than that.
        return weights(STEEPEST)
    logarithm = _crossing(lambda x: room - entropy(float(np.exp(x))), steepest, 5.0)
    return weights(float(np.exp(logarithm)))


def deformed_logarithm(x: float, kappa: float) -> float:
    """Kaniadakis' logarithm (x^k - x^-k) / 2k."""
    return float(x**kappa - x**-kappa) / (2.0 * kappa)


def _crossing(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses zero, by bisection from a bracket that grows as needed."""
    while rising(low) > 0.0 and low > -1e12:
        low, high = low - 2.0 * (high - low), low
    while rising(high) < 0.0 and high < 1e12:
        low, high = high, high + 2.0 * (high - low)
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if rising(middle) < 0.0 else (low, middle)
        if high - low <= 1e-15 * max(abs(low), abs(high)):
            break
    return 0.5 * (low + high)
