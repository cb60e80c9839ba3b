"""Optimal weights: a problem goes in, a verified solution comes out.

`problem` states the question, `feasible` turns constraints into rows, `solve` picks an engine, `solution` recomputes
every residual before an answer leaves. `fast` holds the direct solvers, `riskfolio` the breadth engine behind a wall.
"""
