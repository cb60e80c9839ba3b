"""Walk-forward simulation: a strategy decides with the data known by then; its decisions are filled later, at a cost.

Start reading at `preparation.prepare`, which joins a specification with data and checks both; `flow.run` simulates
every strategy and `measurement.measure` computes its figures. Money is conserved at every step: holdings + cash +
costs. A decision that cannot be made is recorded as a failure, and the holdings drift on.
"""
