"""The adapter to Riskfolio-Lib, for callers who request its weights by name.

It loads thousands of modules, prints instead of raising, and does not check its solvers. So it runs in worker processes
only, with one Portfolio for each problem, and its weights are recomputed before they are accepted. Begin with `engine`.
`translation` writes a problem as Riskfolio-Lib's input, `adapter` calls it, `verification` compares its weights with
the proven ones, `support` looks up in `support_matrix` which combinations it solves correctly.
"""
