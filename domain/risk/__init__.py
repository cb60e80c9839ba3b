"""Risk measures, the risk of a portfolio, and the contribution of each asset to it. Losses are positive.

Begin with `flow`, which makes the report of AnalyzeRisk, and `report`, which lists its figures. `measures` has each
risk measure as a function of returns; `scenario_risk` computes one by its name. `estimate` is EstimateRiskModel,
`stress` the stress scenarios, `validation` the tests of VaR forecasts.
"""
