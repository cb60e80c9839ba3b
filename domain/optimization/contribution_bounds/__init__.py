"""Bounds on risk contributions, which are fractions of the portfolio's variance.

Begin with `bounded_contributions`: what is convex becomes cones; what is not is searched by `contribution_search`, a
branch and bound over the bounds of `sdp_relaxation`.
"""
