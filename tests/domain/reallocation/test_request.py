"""Limits of what a reallocation can be asked for: the limit itself is taken, what is beyond it is refused."""

import pytest

from domain.costs.impact import AlmgrenImpact
from domain.errors import InvalidInput
from domain.reallocation.request import ImpactTerms


def test_an_order_may_take_a_hundred_years() -> None:
    def terms(days: float) -> ImpactTerms:
        return ImpactTerms(AlmgrenImpact(execution_days=days, shares_outstanding={"A": 1e6}))

    law = terms(36_600.0).law
    assert isinstance(law, AlmgrenImpact)
    assert law.execution_days == 36_600.0
    with pytest.raises(InvalidInput, match="must be at most 36600") as raised:
        terms(36_600.5)
    assert raised.value.field == "costs.impact.almgren.execution_days"
