"""Portfolio optimisation: a problem goes in, a verified solution comes out.

Begin with `solve`: it selects a solver, verifies what the solver proposes and returns a `Solution`, or explains why
there is none (`infeasibility`). `request` says what a caller can ask for, by symbol; `problem` is the same in arrays;
`programs` solves linear, quadratic and conic programs and proves bounds. The methods stand between: `mean_variance`,
`conic`, `spectral`, `selection`, `contribution_bounds`, `risk_budgeting`, `clustering`. `riskfolio` is the adapter to
Riskfolio-Lib.
"""
