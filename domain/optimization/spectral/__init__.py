"""Risk measures that weigh losses by their rank (CVaR, Gini, ordered weighted averages), by cutting planes.

Begin with `cutting_planes`, the method of Kelley; `spectral_risk` gives it measures and objectives, `cvar` solves the
linear program of the tail alone, `large_tail` a CVaR of many scenarios, and `spectral_constraints` keeps limits on such
measures.
"""
