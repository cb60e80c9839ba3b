"""Groups of a request name every member; stored groups may reach beyond it."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.moments import Moments
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.constraints import Cardinality, GroupBounds
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.specification import (
    CardinalityOfGroup,
    ConstraintBySymbol,
    GroupReference,
    Specification,
)

MOMENTS = Moments.of(("A", "B", "C"), np.zeros(3), [0.01, 0, 0, 0, 0.01, 0, 0, 0, 0.09], 1.0)
BOTH: list[ConstraintBySymbol] = [GroupReference("it", "tech", upper=0.3), CardinalityOfGroup("it", "tech", 1)]


def wanted(*constraints: ConstraintBySymbol, **more: dict[str, tuple[str, ...]]) -> Specification:
    return Specification(MinRisk(), constraints=constraints, **more)  # type: ignore[arg-type]  # groups only


@pytest.mark.parametrize("constraint", [*BOTH, None])
def test_a_member_that_is_no_symbol_is_named(constraint: ConstraintBySymbol | None) -> None:
    """Whether a constraint refers to the group or not."""
    constraints = () if constraint is None else (constraint,)
    with pytest.raises(InvalidInput, match="Bb of tech") as raised:
        build_problem(wanted(*constraints, groups={"other": ("A",), "tech": ("A", "Bb")}), MOMENTS)
    assert raised.value.field == "groups[1].symbols[1]"


def test_a_member_twice_and_no_member_are_refused() -> None:
    with pytest.raises(InvalidInput, match="A appears twice in group tech") as raised:
        wanted(groups={"tech": ("A", "B", "A")})
    assert raised.value.field == "groups[0].symbols[2]"
    with pytest.raises(InvalidInput, match="group tech must have a member"):
        wanted(groups={"tech": ()})


@pytest.mark.parametrize("constraint", BOTH)
def test_stored_groups_reach_beyond_the_request(constraint: ConstraintBySymbol) -> None:
    stored = wanted(constraint).with_groups({"tech": ("A", "elsewhere")})
    found = build_problem(stored, MOMENTS).constraints[0]
    assert isinstance(found, GroupBounds | Cardinality)
    assert found.symbols == ("A",)
    with pytest.raises(InvalidInput, match="no member among the symbols"):
        build_problem(wanted(constraint).with_groups({"tech": ("elsewhere",)}), MOMENTS)


def test_a_group_of_the_request_counts_before_a_stored_one_of_its_name() -> None:
    both = wanted(BOTH[0], groups={"tech": ("B",)}).with_groups({"tech": ("A",)})
    assert build_problem(both, MOMENTS).constraints == (GroupBounds("it", ("B",), upper=0.3),)
    assert both.missing_groups() == ()
