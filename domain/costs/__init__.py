"""Trading costs: `CostModel` for the optimiser, its proportional part `LinearCost` for backtest and reallocation.

Begin with `model`, the costs of each symbol; `linear` and `impact` compute the cost of trades of known size.
`self_financing` computes the net asset value after a trade to target weights, of which the trade itself is paid.
"""
