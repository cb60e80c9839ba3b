"""Validation of forecasts of risk: whether value at risk and expected shortfall were what happened afterwards.

`forecasts` makes one-step-ahead forecasts from a return series; anyone else's will do as well. `exceptions` says where
a loss went beyond its forecast, and every other file holds one test of these exceptions: how many there are
(`coverage`, `traffic_light`), whether they come in clusters (`independence`), whether anything known in advance
foretells them (`dynamic_quantile`), and how bad they are (`expected_shortfall`). `validate` runs all of them.
"""
