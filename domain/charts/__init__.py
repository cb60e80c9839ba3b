"""Charts of results as Vega-Lite specifications with their data: plain structures, drawn by whoever receives them.

One module draws one subject from arrays; `of_backtest`, `of_optimization`, `of_risk` and `of_reallocation` know which
charts a result has data for. Begin with `specification`, which has what all of them share.
"""
