"""The rule of proof: what a bound says of an answer, by hand and for a program whose minimum is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.optimization.problem.polytope import Polytope
from domain.optimization.programs.duality import gap_to_bound, proven_bound, ratio_gap, relative_gap
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.solution import Candidate, Engine


def test_a_gap_is_relative_to_the_size_and_never_negative() -> None:
    assert gap_to_bound(3.0, 2.0, 4.0) == 0.25
    assert gap_to_bound(2.0, 3.0, 4.0) == 0.0
    assert gap_to_bound(2.0, -math.inf, 4.0) == math.inf


def test_no_number_is_no_proof() -> None:
    for gap in (gap_to_bound(math.nan, 0.0, 1.0), ratio_gap(math.nan, 1.0)):
        assert not Candidate(np.ones(1), Engine.FAST, "any", relative_gap=gap).is_proven_within(1.0)


def test_a_closed_form_needs_no_bound() -> None:
    assert Candidate(np.ones(1), Engine.FAST, "formula").is_proven_within(0.0)


@pytest.mark.parametrize("bound", [0.0, -1.0, math.nan])
def test_a_risk_that_is_not_proven_positive_says_nothing_of_a_ratio(bound: float) -> None:
    assert ratio_gap(1.0, bound) == math.inf


@given(st.floats(0.1, 10.0), st.floats(0.0, 1.0), st.sampled_from([1, 2]))
def test_a_ratio_is_so_far_below_the_highest(deviation: float, excess: float, degree: int) -> None:
    """The ratio is 1 / deviation, whose square a measure of degree two is."""
    worse = deviation * (1.0 + excess)
    gap = ratio_gap(worse**degree, deviation**degree, degree)
    assert (1.0 + gap) / worse == pytest.approx(1.0 / deviation, rel=1e-12)


def test_the_least_square_on_a_line_is_proven_by_its_multiplier() -> None:
    """x'x / 2 with x1 + x2 = 1 is least at (1/2, 1/2), where it is 1/4."""
    free = np.full(2, np.inf)
    program = Program(np.eye(2), np.zeros(2), Polytope(np.ones((1, 2)), np.ones(1), np.ones(1), -free, free))
    best = ProgramSolution(np.full(2, 0.5), np.array([-0.5]), "by hand", 0)
    assert proven_bound(program, best) == pytest.approx(0.25, rel=1e-12)
    assert relative_gap(program, best) == pytest.approx(0.0, abs=1e-12)
    other = ProgramSolution(np.array([1.0, 0.0]), np.array([-0.5]), "by hand", 0)
    assert proven_bound(program, other) <= 0.25
    assert relative_gap(program, other) >= (0.5 - 0.25) / 0.5
