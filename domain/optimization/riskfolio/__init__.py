"""Riskfolio-Lib behind a wall.

It loads thousands of modules, prints instead of raising, and does not check its solvers; so it runs in worker processes
only, one Portfolio for each problem, and nothing it says is believed before it is recomputed.
"""
