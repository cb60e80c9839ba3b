"""Market data: prices, returns, and their moments.

A panel is a table of dates by symbols; `Moments` is the frozen pair of expected returns and covariance of every
mean-variance problem. Estimators are in `domain.estimation`.
"""
