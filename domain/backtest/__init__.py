"""Walk-forward simulation: a strategy decides with the data before a date; its trades are filled later, at a cost.

Begin with `flow`: `flow.prepare` joins a request with data and checks both, `flow.run` simulates and measures.
`strategies` chooses weights, `simulator` steps through the dates, `metrics` defines the figures. Money is conserved at
every step: holdings + cash + costs. A decision that fails is recorded with its reason, and the holdings stay.
"""
