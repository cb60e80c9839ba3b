"""From a real portfolio to its target: what to trade, in which order, at which cost, and what cannot be traded.

`flow.reallocate` is the specification: seven steps, one line each.
"""
