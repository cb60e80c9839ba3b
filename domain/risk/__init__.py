"""Risk measures, the risk of a portfolio, and the contribution of each asset to it. Losses are positive.

Begin with `flow`, which makes the report of AnalyzeRisk, and `report`, which lists its figures. `measures` names the
risk measures; `scenario_risk` computes any of them for the returns of a portfolio. `estimate` is EstimateRiskModel,
`stress` the stress scenarios, `validation` the tests of VaR forecasts.
"""
