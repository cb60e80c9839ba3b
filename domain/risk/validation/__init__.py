"""Validation of risk forecasts: whether VaR and expected shortfall agree with the losses that followed.

Begin with `validate`, which runs all tests. `forecasts` makes one-step-ahead forecasts from a return series; a caller's
own can be tested too. `exceptions` finds the dates on which the loss exceeded its forecast. Every other module is one
test of these exceptions: their number (`coverage`, `traffic_light`), whether they cluster (`independence`), whether
earlier information predicts them (`dynamic_quantile`), and their size (`expected_shortfall`).
"""
