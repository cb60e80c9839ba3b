"""Any convex objective under any convex limits, as programs over cones.

Begin with `conic_problem`, which writes the limits of a problem, and `risk_epigraphs`, which writes the risk measures;
`conic_objectives` sets least risk, utility, ratio and tracking error on top. `robust` is the worst case of uncertain
estimates, `kelly` and `higher_moments` are smooth objectives solved by `sequential_quadratic`.
"""
