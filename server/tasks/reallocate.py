"""Reallocate: collect portfolio, market and target, plan, answer."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal

from absfinance.v1.reallocation_service_pb2 import ReallocateRequest

from domain.errors import InvalidInput
from domain.market_data.snapshot import Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.market import net_asset_value
from domain.reallocation.modes import Deviation
from domain.reallocation.request import ReallocationRequest, Thresholds, check_amounts
from domain.reallocation.result import Reallocation
from domain.reallocation.target import TargetWeights, optimised_target
from domain.reallocation.tax_terms import TaxAccount, tax_account
from domain.reallocation.tracking_error import ActiveRisk
from domain.reallocation.volatility import Volatilities, volatilities
from domain.records import dataclass
from domain.warnings import ResultWarning
from server.commands.reallocation import (
    Mandate,
    OptimizedTarget,
    Planned,
    ReallocateCommand,
    RemoteTarget,
    Target,
)
from server.commands.stored import DataRequest, ReportKey, RequestKey, StoredData
from server.converters.message import message_from_bytes
from server.converters.paths import error_path
from server.converters.portfolios import mandate_from_bytes
from server.converters.reallocation import planned_to_bytes, reallocate_command_from_proto, summary_to_bytes
from server.execution.control import Control
from server.ports.market_data import PriceSelection
from server.ports.panels import StoredPanelRef
from server.ports.remote import RemoteCall, RemoteTargets
from server.ports.results import ResultDraft
from server.tasks.optimize import limit_time, with_stored_groups
from server.tasks.refusing import locating, refusing
from server.tasks.remote_calls import prices_of, refuse_other_target, remote_liquidity, remote_target
from server.tasks.stored_market import check_currencies, of_the_snapshot, stored_snapshot

TARGET = "target_weights"

NO_SERVICES = RemoteTargets()
"""Without services outside liquidity is by stored volume, and no strategy may be named."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is planned, with what its answer needs beside the plan."""

    request: ReallocationRequest
    stored: StoredPanelRef | None  # the market, where it is of stored prices
    warnings: tuple[ResultWarning, ...]  # about an optimised target

    def with_figures(self, found: Reallocation) -> Planned:
        """An answer ready to be written. Raises MissingMarketData where stored prices are gone."""
        annual = Volatilities() if self.stored is None else volatilities(found.summary, self.stored.prices())
        return Planned(found, annual, (*self.warnings, *found.harvest.warnings))


@refusing
@locating(ReallocateRequest)
def reallocation(
    request: bytes,
    today: date,
    found: StoredData | None,
    control: Control,
    report: ReportKey,
    services: RemoteTargets = NO_SERVICES,
) -> DataRequest | ResultDraft | bytes:
    """The answer to store; only its bytes where nothing is to be stored; or what is needed first.

    `today` in UTC is the date of a plan whose request names none.
    """
    command = reallocate_command_from_proto(message_from_bytes(ReallocateRequest, request))
    refuse_other_target(command.target, services.strategies)
    if found is None:
        if command.request_id:
            report(RequestKey(command.request_id, command.body))
        if needed := _first_data_request(command):
            return needed
    found = found or StoredData()
    mandate = _mandate(command, found)
    target = _target(command, mandate)
    if needed := _later_data_request(command, target, found):
        return needed
    with _of_the_portfolio(command):
        plan = _planned_or_needed(_Collected(command, mandate, target, found, today), services, control)
    if isinstance(plan, DataRequest):
        return plan
    planned, account = plan
    payload = planned_to_bytes(planned)
    if command.validate_only:
        return payload
    subject = command.portfolio if isinstance(command.portfolio, str) else ""
    fingerprint = _fingerprint(command, found, account)
    return ResultDraft(
        payload,
        fingerprint,
        command.body,
        command.request_id,
        subject,
        id=command.id,
        label=command.label,
        summary=summary_to_bytes(payload),
        subject_digest=hashlib.sha256(found.portfolios[subject]).digest() if subject else b"",
    )


@contextmanager
def prepared_reallocation(request: bytes, today: date, found: StoredData, control: Control) -> Iterator[Prepared]:
    """What is planned for a request whose needs were found; errors within are named as the request names things."""
    command = reallocate_command_from_proto(message_from_bytes(ReallocateRequest, request))
    mandate = _mandate(command, found)
    target = _target(command, mandate)
    with _of_the_portfolio(command):
        collected = _Collected(command, mandate, target, found, today)
        snapshot = collected.snapshot()
        weights = _target_weights(collected, snapshot, control)
        if isinstance(weights, RemoteCall):
            raise RuntimeError("a batch names no strategy")
        planned = _request(collected, snapshot, weights, collected.account())
        yield Prepared(planned, collected.stored, weights.warnings)


def needed_of(request: bytes, found: StoredData | None) -> DataRequest:
    """What a request needs of the store beside what was found; nothing where it can be planned. Raises InvalidInput."""
    command = reallocate_command_from_proto(message_from_bytes(ReallocateRequest, request))
    if found is None and (needed := _first_data_request(command)):
        return needed
    found = found or StoredData()
    mandate = _mandate(command, found)
    return _later_data_request(command, _target(command, mandate), found)


def _target(command: ReallocateCommand, mandate: Mandate) -> Target:
    """That of the request or the mandate, without the constraints that the request disables."""
    target = command.target if command.target is not None else mandate.target
    if target is None:
        raise InvalidInput(
            "target_weights", "must be given, or target_optimize: the portfolio has no mandate with a target"
        )
    if isinstance(target, OptimizedTarget):
        return replace(target, specification=target.specification.without_constraints(command.disabled_constraints))
    if command.disabled_constraints:
        raise InvalidInput("disabled_constraints[0]", "must be absent: only target_optimize has constraints")
    return target


@contextmanager
def _of_the_portfolio(command: ReallocateCommand) -> Iterator[None]:
    """Says of holdings, cash and the weights of a mandate that they are those of the portfolio, maybe a stored one."""
    try:
        yield
    except InvalidInput as error:
        if command.target is None and error.field.startswith(TARGET):
            path = f"portfolio.mandate.weights{error.field.removeprefix(TARGET)}"
            raise InvalidInput(path, error.rule, error.reason) from None
        if error.field == "cash" or error.field.startswith("holdings"):
            raise error.with_path_prefix("portfolio") from None
        raise


def _first_data_request(command: ReallocateCommand) -> DataRequest:
    stored = (command.market,) if isinstance(command.market, PriceSelection) else ()
    return DataRequest(
        portfolios=(command.portfolio,) if isinstance(command.portfolio, str) else (),
        panels=stored,
        volumes=stored,
    )


def _later_data_request(command: ReallocateCommand, target: Target, found: StoredData) -> DataRequest:
    """What else is needed, now that portfolio and prices are known."""
    panels: tuple[PriceSelection, ...] = ()
    groups: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    if isinstance(target, OptimizedTarget):
        prices = _target_prices(command, target)
        panels = () if prices in found.panels else (prices,)
        groups = tuple(group for group in target.specification.missing_groups() if not found.groups_requested)
    if isinstance(command.market, PriceSelection) and not found.instruments_requested:
        instruments = found.panels[command.market].symbols
    # A quote is of now: of a market that ends on a date it says nothing.
    latest = isinstance(command.market, PriceSelection) and command.market.end is None
    return DataRequest(panels=panels, groups=groups, instruments=instruments, quotes=instruments if latest else ())


def _target_prices(command: ReallocateCommand, target: OptimizedTarget) -> PriceSelection:
    """Stored prices that a target is optimised over."""
    if isinstance(command.market, PriceSelection):
        return command.market
    symbols = sorted({*command.market.quotes, *target.specification.estimation.factors})
    return PriceSelection(tuple(symbols), symbols_path="snapshot.assets")


def _mandate(command: ReallocateCommand, found: StoredData) -> Mandate:
    if isinstance(command.portfolio, Mandate):
        return command.portfolio
    return mandate_from_bytes(found.portfolios[command.portfolio])


def _fingerprint(command: ReallocateCommand, found: StoredData, account: TaxAccount) -> str:
    content = hashlib.sha256(command.content)
    if isinstance(command.portfolio, str):
        content.update(found.portfolios[command.portfolio])
    if isinstance(command.market, PriceSelection):
        content.update(found.panels[command.market].fingerprint.encode())
        for symbol in sorted(found.quotes):
            content.update(repr(found.quotes[symbol]).encode())
    if account.known:
        content.update(account.as_of_date.isoformat().encode())
    for service in sorted(found.answers):
        content.update(hashlib.sha256(found.answers[service]).digest())
    return content.hexdigest()


@dataclass(frozen=True, slots=True)
class _Collected:
    """A request with what was found for it."""

    command: ReallocateCommand
    mandate: Mandate
    target: Target
    found: StoredData
    today: date

    @property
    def stored(self) -> StoredPanelRef | None:
        """The stored prices of the market, None for a snapshot."""
        market = self.command.market
        return self.found.panels[market] if isinstance(market, PriceSelection) else None

    def market(self) -> Snapshot:
        """The market in its own currencies."""
        market = self.command.market
        return market if isinstance(market, Snapshot) else stored_snapshot(market, self.found)

    def previous_prices(self) -> Mapping[str, Decimal] | None:
        """Prices in the currency of the portfolio at the rates of the last reallocation; None without these."""
        if not self.command.currencies.previous_rates:
            return None  # before the figures of stored prices are collected a second time
        with error_path("snapshot"):
            return self.command.currencies.at_previous_rates(self.market(), self.mandate.currency)

    def snapshot(self) -> Snapshot:
        """The market in the currency of the portfolio.

        Raises InvalidInput for an account beyond numbers in it, and for stored prices in another currency.
        """
        market, target = self.command.market, self.target
        if isinstance(market, PriceSelection):
            factors = target.specification.estimation.factors if isinstance(target, OptimizedTarget) else ()
            check_currencies(market, self.found, self.mandate.currency, factors)
        with error_path("snapshot"):
            snapshot = self.command.currencies.converted(self.market(), self.mandate.currency)
        check_amounts(self.mandate.portfolio, snapshot)
        return snapshot

    def account(self) -> TaxAccount:
        """What taxes know of the portfolio."""
        day = self.command.as_of_date or self.today
        return tax_account(self.mandate.portfolio.quantities, self.mandate.lots, day, self.command.taxes)


def _planned_or_needed(
    collected: _Collected, services: RemoteTargets, control: Control
) -> DataRequest | tuple[Planned, TaxAccount]:
    """The plan, or the call of a service outside that is needed for it."""
    account = collected.account()
    snapshot = collected.snapshot()
    target = collected.found.target or _target_weights(collected, snapshot, control)
    if isinstance(target, RemoteCall):
        return DataRequest(calls=(target,))
    request = _request(collected, snapshot, target, account)
    if services.liquidity:
        liquidity = remote_liquidity(request, services.liquidity, collected.found, control)
        if isinstance(liquidity, RemoteCall):
            return DataRequest(calls=(liquidity,), target=target)
        request = replace(request, liquidity=liquidity)
    prepared = Prepared(request, collected.stored, target.warnings)
    result = reallocate(request, control)
    control()
    return prepared.with_figures(result), account


def _target_weights(collected: _Collected, snapshot: Snapshot, control: Control) -> TargetWeights | RemoteCall:
    command, target, found = collected.command, collected.target, collected.found
    if not isinstance(target, OptimizedTarget | RemoteTarget):
        return TargetWeights(target)
    after_flow = command.modes.after_flow(collected.mandate.portfolio)
    if command.modes.cash_flow < 0.0 and net_asset_value(after_flow, snapshot) <= 0.0:
        raise InvalidInput("cash_flow", "must leave a net asset value above 0")
    if isinstance(target, OptimizedTarget):
        prices = found.panels[_target_prices(command, target)]
        with of_the_snapshot(command.market):
            return _optimised(target, prices, after_flow, snapshot, found, control)
    day, stored = command.as_of_date or collected.today, collected.stored
    shown = prices_of(snapshot, day) if stored is None else stored.prices()
    return remote_target(target, after_flow, snapshot, shown, day, found)


def _request(
    collected: _Collected, snapshot: Snapshot, target: TargetWeights, account: TaxAccount
) -> ReallocationRequest:
    command, mandate, stored = collected.command, collected.mandate, collected.stored
    _refuse_unknown_names(collected, snapshot, target)
    _refuse_aversion_to_nothing(command, snapshot)
    thresholds = command.thresholds or mandate.thresholds or Thresholds()
    return ReallocationRequest(
        portfolio=mandate.portfolio,
        market=snapshot,
        target=target.weights,
        thresholds=thresholds,
        limits=command.limits,
        costs=command.costs,
        fees=command.fees,
        horizon_days=command.horizon_days,
        settlement_days=command.settlement_days,
        impact=command.impact,
        schedule=command.schedule,
        taxes=account,
        modes=command.modes,
        active_risk=_active_risk(command, thresholds, stored),
        groups=_groups(command, collected.target, collected.found),
        previous_prices=collected.previous_prices(),
    )


def _active_risk(
    command: ReallocateCommand, thresholds: Thresholds, stored: StoredPanelRef | None
) -> ActiveRisk | None:
    """What a tracking error is measured with."""
    if stored is None:
        return command.active_risk
    needed = thresholds.needs_active_risk or command.modes.deviation is Deviation.TRACKING_ERROR
    return ActiveRisk.of(stored.prices()) if needed else None


def _groups(command: ReallocateCommand, target: Target, found: StoredData) -> dict[str, tuple[str, ...]]:
    """Those of the request and of the specification of its target. Raises InvalidInput for a name of two groups."""
    groups = dict(command.groups)
    if isinstance(target, OptimizedTarget):
        for name, members in with_stored_groups(target.specification, found).groups.items():
            if groups.setdefault(name, members) != members:
                place = list(command.groups).index(name)
                raise InvalidInput(f"groups[{place}].name", f"{name} has other members in the target")
    return groups


def _refuse_unknown_names(collected: _Collected, snapshot: Snapshot, target: TargetWeights) -> None:
    """Raises InvalidInput for costs of an asset that is not held, not wanted and not in the market."""
    stored = () if collected.stored is None else collected.stored.symbols
    known = {*snapshot.quotes, *stored, *collected.mandate.portfolio.quantities, *target.weights}
    for path, symbols in collected.command.named_assets():
        for i, symbol in enumerate(symbols):
            if symbol not in known:
                raise InvalidInput(path.format(i), f"{symbol} is not held, not in the target and not in the market")


def _refuse_aversion_to_nothing(command: ReallocateCommand, snapshot: Snapshot) -> None:
    """Raises InvalidInput for an aversion to costs where no trade has any."""
    costs = command.costs
    rates = (costs.commission_bps, costs.half_spread_bps, *costs.by_symbol_bps.values())
    spreads = (quote.spread_bps for quote in snapshot.quotes.values())
    more = command.fees.any or command.impact is not None
    if command.modes.cost_aversion and not more and not any(rates) and not any(spreads):
        rule = "has no effect without a commission, a spread, a fee or an impact, in costs or in the market"
        raise InvalidInput("trade_off.cost_aversion", rule)


def _optimised(
    target: OptimizedTarget,
    prices: StoredPanelRef,
    portfolio: Portfolio,
    market: Snapshot,
    found: StoredData,
    control: Control,
) -> TargetWeights:
    specification = with_stored_groups(target.specification, found)
    limit_time(specification, control)
    return optimised_target(specification, prices.prices(), target.lookback, portfolio, market, control)
