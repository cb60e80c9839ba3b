"""Plans of random accounts under every kind of limit: objective, gap and CPU time of each, to compare two versions.

Run it by `python benchmarks/reallocate_cases.py`; a JSON object a line, with `--only` those whose name has a text.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from output import as_json, result_lines
from reallocate import request_of
from reallocate_account import large_account

from domain.costs.fees import Fees
from domain.costs.impact import SquareRootImpact
from domain.costs.linear import LinearCost
from domain.reallocation.flow import reallocate
from domain.reallocation.modes import Deviation, Direction, Modes
from domain.reallocation.request import ImpactTerms, Limits, ReallocationRequest, Thresholds
from domain.reallocation.result import Reallocation
from domain.reallocation.tax_terms import TaxAccount
from domain.reallocation.tracking_error import ActiveRisk
from domain.taxes.lot_selection import LotMethod

TAX_AVERSION = 2.0
FACTORS = 5

Change = Callable[[ReallocationRequest, float], ReallocationRequest]


@dataclass(frozen=True)
class Case:
    """One account under one kind of limit."""

    kind: str
    assets: int
    seed: int
    worth: float

    @property
    def request(self) -> ReallocationRequest:
        """Without limits but those of its kind."""
        account = large_account(self.assets, self.seed, self.worth)
        request = replace(
            request_of(account), thresholds=Thresholds(), limits=Limits(), horizon_days=1, costs=LinearCost(5.0)
        )
        return KINDS[self.kind](request, self.worth)


def _limits(**values: float | None) -> Change:
    def change(request: ReallocationRequest, worth: float) -> ReallocationRequest:
        money = {name: values[name] * worth for name in ("cash_floor", "min_trade_value") if values.get(name)}  # type: ignore[operator]
        return replace(request, limits=Limits(**{**values, **money}))  # type: ignore[arg-type]

    return change


def _no_taxes(request: ReallocationRequest, _: float) -> ReallocationRequest:
    return replace(request, taxes=TaxAccount())


def _method(method: LotMethod, gain_budget: float | None) -> Change:
    def change(request: ReallocationRequest, worth: float) -> ReallocationRequest:
        budget = None if gain_budget is None else gain_budget * worth
        limits = replace(request.taxes.limits, method=method, gain_budget=budget)
        return replace(request, taxes=replace(request.taxes, limits=limits))

    return change


def _modes(modes: Modes) -> Change:
    return lambda request, _: replace(request, modes=modes)


def _settled_late(request: ReallocationRequest, worth: float) -> ReallocationRequest:
    """Sales pay for nothing, so that purchases take what cash there is."""
    return replace(request, settlement_days=1)


def _with_risk(request: ReallocationRequest, _: float) -> ReallocationRequest:
    """A covariance of some factors and specific risk."""
    symbols = tuple(request.market.quotes)
    draw = np.random.default_rng(len(symbols))
    loads = draw.normal(0.15, 0.08, (len(symbols), FACTORS)) * np.array([1.0, *[0.4] * (FACTORS - 1)])
    specific = draw.uniform(0.1, 0.3, len(symbols))
    covariance = loads @ loads.T + np.diag(specific**2)
    volatilities = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(volatilities, volatilities)
    risk = ActiveRisk.of_volatilities(symbols, volatilities, 0.5 * (correlation + correlation.T))
    return replace(request, active_risk=risk)


def _all(*changes: Change) -> Change:
    def change(request: ReallocationRequest, worth: float) -> ReallocationRequest:
        for each in changes:
            request = each(request, worth)
        return request

    return change


_FIFO_TAX = _all(_method(LotMethod.FIFO, None), _modes(Modes(tax_aversion=TAX_AVERSION)))
_TRACKING = _all(_no_taxes, _with_risk, _modes(Modes(deviation=Deviation.TRACKING_ERROR)))


def _negative_cash(request: ReallocationRequest, worth: float) -> ReallocationRequest:
    return replace(request, modes=replace(request.modes, cash_flow=-round(0.06 * worth, 2)))


def _fees(request: ReallocationRequest, worth: float) -> ReallocationRequest:
    return replace(request, fees=Fees(fixed=worth * 1e-5), modes=Modes(cost_aversion=5.0))


def _impact(request: ReallocationRequest, _: float) -> ReallocationRequest:
    return replace(request, impact=ImpactTerms(SquareRootImpact(1.0)), modes=Modes(cost_aversion=5.0))


KINDS: dict[str, Change] = {
    "cash": _all(_no_taxes, _limits(cash_floor=0.02)),
    "turnover": _all(_no_taxes, _limits(cash_floor=0.005, max_turnover=0.08)),
    "least_trade": _all(_no_taxes, _limits(min_trade_value=0.002)),
    "cost_limit": _all(_no_taxes, _limits(max_cost_bps=1.0)),
    "cost_aversion": _all(_no_taxes, _limits(max_turnover=0.1), _modes(Modes(cost_aversion=100.0))),
    "retain_cash": _all(_no_taxes, _modes(Modes(retain_cash=True))),
    "late": _all(_no_taxes, _settled_late),
    "fifo_gain": _all(_method(LotMethod.FIFO, 0.002), _limits(cash_floor=0.01)),
    "hifo_gain_turnover": _all(_method(LotMethod.HIFO, 0.002), _limits(max_turnover=0.1)),
    "fifo_gain_turnover": _all(_method(LotMethod.FIFO, 0.002), _limits(max_turnover=0.1)),
    "fifo_tax": _FIFO_TAX,
    "fifo_tax_cash": _all(_FIFO_TAX, _limits(cash_floor=0.05)),
    "fifo_tax_turnover": _all(_FIFO_TAX, _limits(cash_floor=0.005, max_turnover=0.06)),
    "fifo_tax_tight_turnover": _all(_FIFO_TAX, _limits(cash_floor=0.005, max_turnover=0.02)),
    "fifo_tax_late": _all(_FIFO_TAX, _settled_late),
    "fifo_tax_retain": _all(
        _method(LotMethod.FIFO, None), _modes(Modes(tax_aversion=TAX_AVERSION, retain_cash=True)), _limits()
    ),
    "fifo_tax_gain_turnover": _all(
        _method(LotMethod.FIFO, 0.001), _modes(Modes(tax_aversion=TAX_AVERSION)), _limits(max_turnover=0.06)
    ),
    "hifo_tax_turnover": _all(
        _method(LotMethod.HIFO, None), _modes(Modes(tax_aversion=TAX_AVERSION)), _limits(max_turnover=0.06)
    ),
    "fifo_tax_sell_only": _all(
        _method(LotMethod.FIFO, None),
        _modes(Modes(tax_aversion=TAX_AVERSION, direction=Direction.SELL_ONLY)),
        _limits(max_turnover=0.04),
    ),
    "raise_cash": _all(_no_taxes, _limits(cash_floor=0.08)),
    "fifo_raise_cash": _all(_method(LotMethod.FIFO, 0.004), _limits(cash_floor=0.08)),
    "negative_cash": _all(_FIFO_TAX, _negative_cash),
    "fees": _all(_no_taxes, _fees),
    "impact": _all(_no_taxes, _impact),
    "tracking": _all(_TRACKING, _limits(cash_floor=0.005)),
    "tracking_turnover": _all(_TRACKING, _limits(cash_floor=0.005, max_turnover=0.08)),
}


def cases() -> Iterator[Case]:
    """The fixed set."""
    for kind in KINDS:
        if kind.startswith("tracking"):
            sizes = ((8, 2e4), (20, 1e5), (50, 1e6), (150, 1e6), (500, 1e7))
        elif kind in ("fees", "impact"):
            sizes = ((10, 2e4), (50, 1e5))
        elif kind.startswith("fifo_tax"):
            sizes = ((20, 1e4), (50, 1e5), (120, 1e5), (120, 1e6), (500, 1e7))
        else:
            sizes = ((20, 1e4), (120, 1e5), (500, 1e7))
        for assets, worth in sizes:
            yield Case(kind, assets, 1 + assets, worth)


def measured(case: Case) -> dict[str, object]:
    """One line."""
    request = case.request
    start = time.process_time()
    found: Reallocation = reallocate(request)
    seconds = time.process_time() - start
    return {
        "case": f"{case.kind}/{case.assets}x{case.worth:.0e}",
        "seed": case.seed,
        "objective": found.objective,
        "gap": found.gap,
        "cpu_ms": round(1e3 * seconds, 1),
        "trades": len(found.plan.trades),
    }


def main() -> None:
    """Prints one line for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose kind has this text")
    parser.add_argument("--seeds", type=int, default=1, help="accounts of each kind and size")
    arguments = parser.parse_args()
    lines = result_lines()
    for case in cases():
        if arguments.only in f"{case.kind}/{case.assets}":
            for more in range(arguments.seeds):
                print(as_json(measured(replace(case, seed=case.seed + 1000 * more))), file=lines, flush=True)


if __name__ == "__main__":
    main()
