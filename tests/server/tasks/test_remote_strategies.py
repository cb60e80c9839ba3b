"""Which addresses remote strategies may name."""

import pytest

from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import Blend, Cppi, EqualWeightStrategy, Part, Remote
from domain.errors import InvalidInput
from server.tasks.remote_strategies import refuse_other_targets


def test_targets_at_any_depth_must_be_allowed() -> None:
    nested = Blend((Part(EqualWeightStrategy(), 0.5), Part(Cppi(Remote("far:1"), 0.5, 2.0), 0.5)))
    specification = BacktestSpecification((Remote("near:1"),), benchmarks=(nested,))
    refuse_other_targets(specification, {"near:1", "far:1"})
    with pytest.raises(InvalidInput, match="ABSFIN_STRATEGY_TARGETS") as raised:
        refuse_other_targets(specification, {"near:1"})
    assert raised.value.field == "benchmarks[0].strategy.blend.parts[1].strategy.cppi.base.remote.target"
    with pytest.raises(InvalidInput) as raised:
        refuse_other_targets(specification, ())
    assert raised.value.field == "strategy.remote.target"
