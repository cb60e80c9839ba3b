"""Market data: prices, returns, scenarios and moments, checked once when they are made.

Begin with `panel`: a panel is a table of dates by symbols. `moments` is the frozen pair of expected returns and
covariance that every mean-variance problem starts from. Nothing here estimates: that is `domain.estimation`.
"""
