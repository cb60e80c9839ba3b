"""Walk-forward simulation: a strategy decides with what is known, its decisions are filled later, at a cost.

`flow.prepare` joins a wish with data and checks both; `flow.run` walks through the dates. Money is conserved at every
step: holdings + cash + costs. A decision that cannot be made is a value, and the holdings drift on.
"""
