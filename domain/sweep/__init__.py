"""Many backtests as one piece of work: the trials of a grid, which of them is best, and what that is worth.

Begin with `expansion`: a grid has its trials in a fixed order. `ranking` says which trial is best by a score, and
`statistics` what the best of so many is worth.
"""
