"""Plans the trades from a portfolio to its target: quantities, order, costs, and what cannot be traded.

`flow.reallocate` is the specification: seven steps, one line each. `orders` limits the required trades,
`lots` chooses whole lots, `schedule` assigns them to days, `causes` finds the reason of each shortfall.
`market` and `target` make a market and target weights from stored prices.
"""
