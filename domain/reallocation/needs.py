"""What a portfolio needs: its utilization, and the trades that this, cash or a harvest of losses requires."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from domain.cancellation import never_cancelled
from domain.exact import ZERO, exact
from domain.reallocation.currency_drift import currency_drifts
from domain.reallocation.harvest import Harvest, harvest_of
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.required import check_target, current_weights, nav_after, required_assets, required_trades
from domain.reallocation.utilization import UtilizationReport, utilization
from domain.reallocation.valuation import Valuation, value
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Needs:
    """What a portfolio needs."""

    request: ReallocationRequest  # its target is the one after a harvest of losses
    report: UtilizationReport
    required: Mapping[str, float]
    harvest: Harvest


def needs_of(
    request: ReallocationRequest,
    valuation: Valuation,
    symbols: Sequence[str],
    check_cancelled: Callable[[], None],
) -> Needs:
    """Utilization of the required assets, and the trades that it, cash or a harvest of losses requires."""
    current = current_weights(request, valuation)
    drifts = currency_drifts(request, current)
    report = utilization(
        symbols, current, request.target, request.thresholds, request.active_risk, request.groups, drifts
    )
    check_cancelled()
    acts = report.exceeded or cash_needs_trades(request)
    required = required_trades(request, valuation, symbols, check_cancelled) if acts else {}
    harvest = harvest_of(request, valuation, required, partial(nav_after, valuation), check_cancelled)
    if harvest.symbols or harvest.weighed:
        request = replace(request, target=harvest.target, harvest_only=not acts)
        required = _with_harvest(request, valuation, required if acts else None, harvest, check_cancelled)
    return Needs(request, report, required, harvest)


def trades_to_assess(
    request: ReallocationRequest, check_cancelled: Callable[[], None] = never_cancelled
) -> Mapping[str, float]:
    """The required trades, in units, whose liquidity a service outside is asked for: those of assets with a price.

    None where utilization is within its thresholds. Raises what `reallocate` raises.
    """
    valuation = value(request, check_cancelled)
    check_target(request)
    symbols = required_assets(request)
    needs = needs_of(request, valuation, symbols, check_cancelled)
    return {symbol: units for symbol, units in needs.required.items() if symbol in request.market.quotes}


def cash_needs_trades(request: ReallocationRequest) -> bool:
    """Whether sales must raise cash, or a flow is to be invested, in spite of the thresholds."""
    return request.cash < min(exact(request.limits.cash_floor), ZERO) or request.modes.cash_flow > 0.0


def _with_harvest(
    request: ReallocationRequest,
    valuation: Valuation,
    required: Mapping[str, float] | None,
    harvest: Harvest,
    check_cancelled: Callable[[], None],
) -> dict[str, float]:
    """The trades that the target with its substitutes requires; only those of the harvest where nothing else is."""
    found = required_trades(request, valuation, required_assets(request), check_cancelled) if harvest.symbols else {}
    if required is None:
        found = {symbol: units for symbol, units in found.items() if symbol in harvest.symbols}
    elif not harvest.symbols:
        found = required
    # A trade of 0 units is an order that the objective may enlarge.
    return {**dict.fromkeys(harvest.weighed, 0.0), **found}
