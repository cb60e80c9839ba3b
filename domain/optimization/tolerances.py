"""Constants of policy: what a verified answer must satisfy, what counts as zero, what counts as binding.

Each is defined here once. A constant that belongs to one algorithm stands in that algorithm's module.
"""

FEASIBILITY_TOLERANCE = 1e-8
"""The most by which an answer may miss a constraint, in the constraint's own unit."""

GAP_TOLERANCE = 1e-7
"""The largest relative distance of an answer's objective value from a proven bound."""

RISKFOLIO_GAP_TOLERANCE = 1e-6
"""The same for weights of Riskfolio-Lib, against the bound that the direct solvers prove."""

DEFAULT_TOLERANCE = 1e-9
"""Relative accuracy of the objective that solvers aim at unless the caller asks for another."""

SEARCH_GAP = 1e-8
"""A node of a branch and bound that promises less than this, relative to the best value, is not opened."""

QUICK_SEARCH_RELAXATIONS = 400
"""The most relaxations of a search that only explains or improves an answer: about a second's worth."""

VALUE_FLOOR = 1e-4
"""A scaled objective below this counts as this when a gap is taken relative to it: a variance of less than a ten
thousandth of the assets' mean variance is the rounding of figures ten thousand times larger."""

CONIC_VALUE_FLOOR = 1e-2
"""The same in units of a conic program, whose risks are of degree one: the root of `VALUE_FLOOR`."""

SPECTRAL_VALUE_FLOOR = 1e-2
"""The same for measures that weigh losses by rank, relative to the objective of a typical asset."""

ZERO_WEIGHT = 1e-12
"""Weights below this are the rounding of a zero."""

NEAR_BOUND = 1e-7
"""Weights closer than this to zero or to a bound are what an interior-point solver leaves of it."""

REPAIRED_VIOLATION = 1e-9
"""Constraints missed by less than this are left as they are when weights are repaired."""

ROUNDING_LOSS = 1e-8
"""By how much, relative to one, the objective may become worse when weights are rounded to their bounds."""

BINDING_MULTIPLIER = 1e-9
"""Scaled multipliers of a linear or quadratic program below this are rounding: the limit does not bind."""

BINDING_DISTANCE = 1e-7
"""How close a weight is to a bound that binds, relative to the bound or to one."""

CONIC_BINDING_MULTIPLIER = 1e-6
"""Multipliers of a conic program below this, in units of the program, are what an interior point leaves of a zero."""

CONIC_BINDING_DISTANCE = 1e-6
"""How close its value is to a limit that binds in a conic program, relative to the limit or to one."""
