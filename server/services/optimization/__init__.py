"""OptimizationService: `optimize` solves one problem and stores the result, `frontier` and `batch` stream portfolios.

Begin with `optimize`.
"""
