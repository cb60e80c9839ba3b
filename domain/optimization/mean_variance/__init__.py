"""Objectives of mean and variance within linear limits: quadratic and linear programs, solved exactly.

Begin with `quadratic_objectives`: least variance, best utility, highest return. `maximum_ratio` is the Sharpe ratio by
the transformation of `programs.charnes_cooper`; `critical_line` traces the whole frontier.
"""
