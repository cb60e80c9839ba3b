"""What is known about the market: prices, returns, and the moments drawn from them.

A panel is a table of dates by symbols; `Moments` is the frozen pair of expected returns and covariance that every
mean-variance question starts from. Nothing here estimates: that is `domain.estimation`.
"""
