"""What trading and holding cost: one `CostModel` of trades for optimiser and backtest, `HoldingCosts` for the backtest.

Begin with `model`, the costs of trades by symbol, and with `holding`, interest and fees that accrue with time; `linear`
and `impact` compute the cost of trades of known size, and `LinearCost` alone is what a reallocation takes.
`self_financing` computes the net asset value after a trade to target weights, of which the trade itself is paid.
"""
