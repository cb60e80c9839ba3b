"""Reallocation: the trades from a real portfolio to its target, their order and cost, and what cannot be traded.

Begin with `flow.reallocate`, the specification in seven steps, one line each. `orders` turns required trades into
orders within their limits, `lots` chooses whole lots, `schedule` distributes orders over days, `causes` and `shortfall`
report what is not traded, and why.
"""
