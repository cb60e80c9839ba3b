"""Whole lots where a plan weighs more than distances and costs in proportion to the traded value: a tracking error,
market impact, fees of a trade, commissions with a least or a most.

Begin with `search`: it improves known lots by exchanges (`exchange`), proves a bound by prices of the limits that a
convex relaxation gives (`relaxation`, `priced_terms`), and of small accounts tries what the bound leaves open
(`enumeration`). `problem` has the objective and the limits, `curve` the cost of one order by its lots.
"""
