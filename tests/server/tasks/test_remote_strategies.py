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


@pytest.mark.parametrize(
    "spelling",
    [
        *("LOCALHOST:1", "127.0.0.1:1", "127.1:1", "2130706433:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "localhost.:1"),
        *("u@localhost:1", "dns:localhost:1", "dns:///localhost:1", "localhost:01", " localhost:1", "localhost:1,a:1"),
        *("unix:1", "unix:///run/x", "localhost:2", "localhost:1\x00"),
    ],
)
def test_an_address_is_allowed_only_as_it_is_written(spelling: str) -> None:
    specification = BacktestSpecification((Remote(spelling),))
    with pytest.raises(InvalidInput, match="ABSFIN_STRATEGY_TARGETS"):
        refuse_other_targets(specification, {"localhost:1"})
