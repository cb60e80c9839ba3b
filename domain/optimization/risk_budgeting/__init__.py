"""Risk budgets: every asset, or every factor, contributes a given fraction of the risk.

Begin with `risk_budget` for the volatility; `scenario_risk_budget` takes any convex measure, `factor_risk_budget`
factors. Where limits bind, `constrained_risk_budget` holds. `relaxed_risk_parity` trades budgets off against risk.
"""
