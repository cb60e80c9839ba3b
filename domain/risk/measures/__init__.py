"""Risk measures as functions of returns, and nothing else: no portfolio, no report.

Returns are simple returns per period, `(..., T)` with time (or scenarios) on the last axis, so that one function serves
a report, `(T,)`, and rolling windows, `(K, T)`; a function limited to one dimension says `(T,)`. Probabilities are
`(T,)` and sum to 1; without them the returns are a sample of equally likely observations. Losses are positive.

Start reading at `risk_measure`, which lists the measures of the contract. `dispersion` measures distances from the mean
or from a target, `tail` holds VaR and CVaR, `entropic` EVaR and RLVaR, `spectral` the measures that weigh outcomes by
rank (Gini, ranges), `drawdown` the losses from a peak, `relative` the figures against a benchmark.
"""

from domain.risk.measures.risk_measure import RiskMeasure, to_first_degree

__all__ = ["RiskMeasure", "to_first_degree"]
