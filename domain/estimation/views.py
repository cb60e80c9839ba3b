"""Views combined with a prior: Black and Litterman's posterior.

With prior returns Pi, covariance Sigma, views P m = Q with error variances Omega and A = tau Sigma P' the posterior is

    mean        Pi + A (P A + Omega)^-1 (Q - P Pi)
    covariance  Sigma + tau Sigma - A (P A + Omega)^-1 A'

He & Litterman 1999, "The intuition behind Black-Litterman model portfolios", equations 8 and 9. A view without an
error variance of its own has that of its portfolio under the prior, tau p Sigma p'. A confidence c scales that by
(1 - c) / c, which moves the view's return by the part c of the way to a view held without doubt: Idzorek 2005, in the
closed form of Walters 2007.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector, finite_number, positive
from domain.errors import InvalidInput
from domain.estimation.contradictions import check_consistent
from domain.records import dataclass

DEFAULT_TAU = 0.05

CERTAIN = 1e-12
"""An error variance of less than this part of the portfolio's own is no doubt."""


@dataclass(frozen=True, slots=True)
class View:
    """A combination of assets will return so much a year."""

    terms: Mapping[str, float]
    expected_return_annual: float
    confidence: float | None = None  # above 0 and at most 1
    variance_annual: float | None = None  # of the view's error

    def __post_init__(self) -> None:
        finite_number("expected_return_annual", self.expected_return_annual)
        if self.confidence is not None and not 0.0 < self.confidence <= 1.0:
            raise InvalidInput("confidence", "must be above 0 and at most 1")
        if self.variance_annual is not None:
            positive("variance_annual", self.variance_annual)
        if self.confidence is not None and self.variance_annual is not None:
            raise InvalidInput("variance_annual", "must be left out where confidence is set")
        if not any(self.terms.values()):
            raise InvalidInput("terms", "must give at least one asset a weight other than 0")


@dataclass(frozen=True, slots=True)
class Posterior:
    """Moments after the views, per period."""

    expected_returns: Vector  # (N,)
    covariance: Matrix  # (N, N)


def black_litterman(
    symbols: tuple[str, ...],
    prior: Vector,
    covariance: Matrix,
    views: tuple[View, ...],
    periods_per_year: float,
    tau: float = DEFAULT_TAU,
) -> Posterior:
    """The posterior of views on prior returns (N,) with their covariance (N, N), all per period.

    Raises InvalidInput for a view on an unknown symbol, and for views without doubt that contradict each other.
    """
    positive("tau", tau)
    picks, returns = view_matrix(symbols, views, periods_per_year)
    pulled = tau * covariance @ picks.T  # A, (N, K)
    own = np.einsum("kn,nk->k", picks, pulled)
    errors = np.array([_error(view, own[i], periods_per_year) for i, view in enumerate(views)])
    _check_certain(picks, returns - picks @ prior, covariance, errors <= CERTAIN * np.abs(own))
    spread = picks @ pulled + np.diag(errors)
    # Views that repeat each other without doubt make it singular; the least change that fits is meant.
    gain = np.linalg.lstsq(spread, pulled.T, rcond=None)[0].T  # A (P A + Omega)^-1
    mean: Vector = prior + gain @ (returns - picks @ prior)
    after: Matrix = (1.0 + tau) * covariance - gain @ pulled.T
    return Posterior(mean, 0.5 * (after + after.T))


def _check_certain(picks: Matrix, surprises: Vector, covariance: Matrix, certain: NDArray[np.bool_]) -> None:
    """Checks that certain views do not contradict each other. Raises InvalidInput."""
    places = np.flatnonzero(certain)
    if not len(places):
        return
    values, vectors = np.linalg.eigh(covariance)
    variations = picks[places] @ (vectors * np.sqrt(np.maximum(values, 0.0)))
    sizes = np.abs(picks[places]) @ np.sqrt(np.maximum(np.diag(covariance), 0.0))
    check_consistent(variations, sizes, surprises[places], places)


def view_matrix(symbols: tuple[str, ...], views: tuple[View, ...], periods_per_year: float) -> tuple[Matrix, Vector]:
    """The views' portfolios (K, N) and their expected returns per period (K,). Raises InvalidInput."""
    position = {symbol: j for j, symbol in enumerate(symbols)}
    picks = np.array([_pick(i, view, position) for i, view in enumerate(views)])
    return picks, np.array([view.expected_return_annual for view in views]) / periods_per_year


def _pick(i: int, view: View, position: Mapping[str, int]) -> Vector:
    row = np.zeros(len(position))
    for j, (symbol, weight) in enumerate(view.terms.items()):
        if symbol not in position:
            raise InvalidInput(f"views[{i}].terms[{j}].symbol", f"{symbol} is not a symbol of the input")
        row[position[symbol]] = finite_number(f"views[{i}].terms[{j}].weight", weight)
    return row


def _error(view: View, own: float, periods_per_year: float) -> float:
    if view.variance_annual is not None:
        return view.variance_annual / periods_per_year
    return own if view.confidence is None else own * (1.0 - view.confidence) / view.confidence
