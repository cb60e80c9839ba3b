"""Divides the excess return of a portfolio over a benchmark: by groups of assets, by factors, and over periods.

`brinson` has the effects of single periods, `linking` the factors that add them up over periods, `attribute` both for
weights and returns that a caller has. `segments` does the same for a path whose costs and cash are parts of their own:
`domain.backtest.path_attribution` fills it in. `factors` divides by exposures. Begin reading with `attribute`.
"""
