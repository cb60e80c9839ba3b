"""Minimum variance of 500 assets with sector bands and caps, without and with a turnover limit, against cvxpy."""

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version

import numpy as np
from market import returns
from peers import Array, Market, Run

from domain.market_data.moments import Moments
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import Constraint, GroupBounds, Turnover, TurnoverKind, WeightBounds
from domain.optimization.request.objectives import MinRisk
from domain.optimization.solve import solve

ASSETS, SECTORS = 500, 10
CAP, BAND, TRADES = 0.02, (0.05, 0.15), 0.3
PEER = f"cvxpy {version('cvxpy')} + clarabel {version('clarabel')}"


def constrained_jobs() -> Iterator[tuple[str, Market, Mapping[str, Run], Run, Callable[[Array], float]]]:
    """Each job with its market, its peer, our run, and the objective that both are judged by."""
    values = returns(ASSETS)
    names = [f"S{i}" for i in range(ASSETS)]
    market = Market(names, values, values.mean(axis=0), np.cov(values.T))
    sectors = [tuple(names[i] for i in range(ASSETS) if i % SECTORS == k) for k in range(SECTORS)]
    held = np.full(ASSETS, 1.0 / ASSETS)
    bands = [GroupBounds(f"sector {k}", members, *BAND) for k, members in enumerate(sectors)]
    limits: tuple[Constraint, ...] = (WeightBounds("caps", 0.0, CAP), *bands)
    turnover = Turnover("turnover", TRADES, TurnoverKind.ONE_WAY)

    def judge(w: Array) -> float:
        return float(w @ market.covariance @ w)

    for name, more in (("constrained", ()), ("constrained_turnover", (turnover,))):
        yield (
            f"{name}/N={ASSETS}",
            market,
            {PEER: _cvxpy(market, bool(more), held)},
            _ours(market, (*limits, *more), held),
            judge,
        )


def _ours(market: Market, limits: tuple[Constraint, ...], held: Array) -> Run:
    def run() -> Array:
        moments = Moments.of(market.names, market.means, market.covariance, 252.0)
        return solve(Problem(moments, MinRisk(), constraints=limits, current_weights=held)).weights

    return run


def _cvxpy(market: Market, turnover: bool, held: Array) -> Run:
    """As its documentation has it: a quadratic form, rows, and an absolute sum."""
    import cvxpy as cp

    def run() -> Array:
        weights = cp.Variable(ASSETS)
        rows = np.array([[float(i % SECTORS == k) for i in range(ASSETS)] for k in range(SECTORS)])
        rules = [
            cp.sum(weights) == 1,
            weights >= 0,
            weights <= CAP,
            rows @ weights >= BAND[0],
            rows @ weights <= BAND[1],
        ]
        if turnover:
            rules.append(cp.norm1(weights - held) <= 2 * TRADES)
        # Scaled, as on raw daily returns its solver stops early.
        problem = cp.Problem(cp.Minimize(cp.quad_form(weights, cp.psd_wrap(market.covariance * 1e4))), rules)
        problem.solve(solver="CLARABEL")
        return np.asarray(weights.value)

    return run
