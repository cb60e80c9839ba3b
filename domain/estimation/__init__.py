"""Estimators: from returns to expected returns, covariance and codependence.

Begin with `moments`, which estimates both moments of a panel as a caller specifies it. `expected_returns` and
`covariance` are the plain estimators; `shrinkage`, `denoising` and `sparse` improve a covariance; `views`,
`factor_views` and `entropy_pooling` add a caller's views; `codependence` and `clustering` serve hierarchies and
networks.
"""
