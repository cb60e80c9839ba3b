"""Mathematical programs: matrices in; a point, multipliers and a proven bound out.

Begin with `program`, the linear or quadratic program over a polytope, and `duality`, the bound that multipliers prove.
`linear` (HiGHS), `quadratic` (active set, daqp, piqp), `sparse_quadratic` (piqp) and `conic_model` (Clarabel) solve
them; `repair` brings a solver's weights back within the limits.
"""
