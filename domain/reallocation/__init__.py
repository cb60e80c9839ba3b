"""From a real portfolio to its target: what to trade, in which order, at which cost, and what cannot be traded.

`flow.reallocate` is the specification: seven steps, one line each. `orders` turns wishes into orders within their
limits, `lots` chooses whole lots, `schedule` puts them into days, `causes` says what is missing and why.
`market` and `target` make a market and target weights from stored prices.
"""
