"""Attribution of many assets over many dates: of a simulated path, and of weights and returns. No peer has the first.

Run it by scripts/bench analysis_attribution, or with the other jobs of results by scripts/bench analysis.
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from clock import in_turn
from market import returns
from output import as_json, result_lines

from domain.attribution.attribute import attribute, attributed_weights
from domain.attribution.settings import AttributionSettings
from domain.backtest.attribution_request import AttributionRequest
from domain.backtest.preparation import BacktestPlan, prepare
from domain.backtest.rebalancing import Calendar, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.simulator import Simulation
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import EqualWeightStrategy, FixedWeights
from domain.backtest.strategy_attribution import attributions
from domain.cancellation import never_cancelled
from domain.costs.holding import HoldingCosts, Rate
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.panel import Panel, PricePanel

ASSETS, DATES, SECTORS = 500, 8000, 11
"""The size of the aim; the smaller one of --quick is a tenth of the assets."""

LIMIT_MS = 1000.0
"""The aim."""


@dataclass(frozen=True)
class Result:
    """One job: median CPU time, and how far the parts are from the excess return."""

    job: str
    assets: int
    dates: int
    ours_ms: float
    peer_ms: float | None
    ratio: float | None
    limit_ms: float
    difference: float
    rounds: int


def simulated(assets: int, dates: int) -> tuple[BacktestPlan, list[RecordPart]]:
    """A monthly rebalanced account with costs, fees and cash, and a benchmark that is rebalanced too."""
    prices = 100.0 * np.vstack([np.ones(assets), np.cumprod(1.0 + returns(assets, dates - 1), axis=0)])
    names = [f"S{j}" for j in range(assets)]
    weights = np.random.default_rng(1).dirichlet(np.ones(assets))
    labels = {f"sector={g}": tuple(names[g::SECTORS]) for g in range(SECTORS)}
    specification = BacktestSpecification(
        (EqualWeightStrategy(),),
        rebalancing=Rebalancing(Calendar()),
        costs=CostModel(LinearCost(commission_bps=10.0)),
        holding_costs=HoldingCosts(cash=Rate(0.02), management_fee_annual=0.01),
        benchmarks=(FixedWeights(dict(zip(names, weights.tolist(), strict=True)), label="benchmark"),),
        periods_per_year=252.0,
        attribution=AttributionRequest(kinds=("sector",), labels=labels),
    )
    plan = prepare(specification, PricePanel.of(names, np.arange(dates, dtype=np.int32), prices))
    records = []
    for run, inputs in zip(plan.strategy_runs, plan.inputs, strict=True):
        simulation = Simulation(plan.market, specification, run, plan.groups, None, inputs)
        for _ in simulation.advance(never_cancelled):
            pass
        records.append(simulation.record.cut())
    return plan, records


def of_a_path(assets: int, dates: int) -> Callable[[], float]:
    """Attributes a simulated path by sectors, both sides; how far the parts are from the excess return."""
    plan, records = simulated(assets, dates)

    def run() -> float:
        found = attributions(plan, records, never_cancelled)[0]
        if found is None or found.excess_return is None:
            raise ValueError("nothing was attributed")
        return sum(segment.contribution for segment in found.levels[0].segments) - found.excess_return

    return run


def of_weights(assets: int, dates: int) -> Callable[[], float]:
    """Attributes weights and returns, each asset being a segment; how far the effects are from the excess return."""
    rng = np.random.default_rng(2)
    days, names = np.arange(dates, dtype=np.int32), tuple(f"S{j}" for j in range(assets))
    weights = [rng.dirichlet(np.ones(assets), dates) for _ in range(2)]
    values = returns(assets, dates)
    tables = [Panel(names, days, table) for table in (*weights, values, values + rng.normal(0.0, 1e-4, values.shape))]

    def run() -> float:
        found = attribute(attributed_weights(tables), AttributionSettings())
        return float(found.totals.total[0]) - found.excess_return

    return run


def main() -> None:
    """Prints one line for each job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="a tenth of the assets")
    chosen = parser.parse_args()
    assets = ASSETS // 10 if chosen.quick else ASSETS
    lines = result_lines()
    for name, job in (("attribution", of_a_path), ("attribution/weights", of_weights)):
        timing = in_turn(name, {"ours": job(assets, DATES)})["ours"]
        label = f"analysis/{name}"
        result = Result(label, assets, DATES, timing.median_ms, None, None, LIMIT_MS, timing.answer, timing.rounds)
        if chosen.json:
            lines.write(as_json(asdict(result)) + "\n")
        else:
            size = f"{assets} x {DATES}"
            lines.write(
                f"{label:32s} {size:12s} {result.ours_ms:8.1f} ms, parts - excess return {result.difference:.1e}\n"
            )


if __name__ == "__main__":
    main()
