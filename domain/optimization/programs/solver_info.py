"""Versions of the packages that solvers come in."""

from functools import cache
from importlib.metadata import version

PACKAGES = {"interior point": "scipy", "daqp": "daqp", "piqp": "piqp", "highs": "highspy", "clarabel": "clarabel"}


@cache
def solver_version(solver: str) -> str:
    """Version of the package that a solver comes in; our own come with numpy's linear algebra."""
    return version(PACKAGES.get(solver, "numpy"))
