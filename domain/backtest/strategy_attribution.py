"""Attribution of finished strategies against the first benchmark."""

from collections.abc import Sequence

from domain.backtest.attributed_side import Side, held_symbol_side, no_side, simulated_side
from domain.backtest.daily_ledger import LedgerSource
from domain.backtest.opening import opening_units
from domain.backtest.path_attribution import AttributedMarket, PathAttribution, path_attribution
from domain.backtest.preparation import BacktestPlan
from domain.backtest.record import RecordPart
from domain.backtest.simulation.arrays import DELISTING
from domain.backtest.specification import BenchmarkSymbol
from domain.cancellation import CancellationCheck
from domain.checks import Matrix, Vector


def attributions(
    plan: BacktestPlan, records: Sequence[RecordPart], check_cancelled: CancellationCheck
) -> list[PathAttribution | None]:
    """Of each strategy, in their order; None where nothing asks for it. `records` are those of all strategy runs."""
    specification, market = plan.specification, plan.attributed
    count = len(specification.strategies)
    if market is None:
        return [None] * count
    label, other_return = "", 0.0
    other: Side | None = _nothing(market)
    if specification.benchmarks:
        first = specification.benchmarks[0]
        if isinstance(first, BenchmarkSymbol):
            label, levels = first.name, plan.curves[first.name].nav
            other = _held(plan, market, first.symbol, levels)
        else:
            label, levels = first.label, records[count].unit_values
            other = _simulated(plan, market, count, records[count])
        other_return = float(levels[-1] / levels[0]) - 1.0
    found: list[PathAttribution | None] = []
    for index, record in enumerate(records[:count]):
        check_cancelled()
        side = _simulated(plan, market, index, record)
        levels = record.unit_values
        returns = (float(levels[-1] / levels[0]) - 1.0, other_return)
        found.append(path_attribution(market, side, other, label, returns))
    return found


def _simulated(plan: BacktestPlan, market: AttributedMarket, index: int, record: RecordPart) -> Side | None:
    """The side of a simulated account; None where its net asset value is used up."""
    if record.exhausted:
        return None
    opening = opening_units(plan.specification, plan.market.panel.symbols)
    inputs = plan.inputs[len(plan.candidates) + index]
    return simulated_side(LedgerSource(inputs, record, opening), _members(market), market.exposures)


def _held(plan: BacktestPlan, market: AttributedMarket, symbol: str, levels: Vector) -> Side | None:
    """The side of an asset of the input that is held; None where it has become worthless."""
    if not (levels > 0.0).all():
        return None
    asset, actions = plan.market.panel.symbols.index(symbol), plan.market.actions
    gone = actions.date[(actions.kind == DELISTING) & (actions.asset == asset)]
    start = plan.strategy_runs[0].start
    # On the date of its delisting the asset is still what earns the return.
    cash_from = int(gone[0]) - start if len(gone) else len(levels)
    returns = levels[1:] / levels[:-1] - 1.0
    return held_symbol_side(returns, asset, max(cash_from, 0), _members(market), market.exposures)


def _nothing(market: AttributedMarket) -> Side:
    groups = [len(level.names) for level in market.levels]
    return no_side(len(market.days), groups, market.exposures.shape[1])


def _members(market: AttributedMarket) -> list[Matrix | None]:
    """Members of the groups of each level; None for a level on which each asset is a group."""
    return [level.members if market.request.kinds else None for level in market.levels]
