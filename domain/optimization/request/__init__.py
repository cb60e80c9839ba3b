"""What a caller asks for, by symbol, before any data is known.

Begin with `specification`, which holds one objective of `objectives`, any number of `constraints`, and the options of
the solver. `similarity_constraints` are limits that follow from how similar the assets' returns are.
"""
