"""Validation of forecasts of risk: compares value at risk and expected shortfall with the returns that followed.

`forecasts` makes one-step-ahead forecasts from a return series; the caller can supply others. `exceptions` finds the
losses above their forecast, and every other module holds one test of these exceptions: their number (`coverage`,
`traffic_light`), whether they come in clusters (`independence`), whether past data predicts them
(`dynamic_quantile`), and their size (`expected_shortfall`). `validate` runs all of them.
"""
