"""RecordFills: new fills change the account, those that are recorded are only answered again."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from absfinance.v1.reallocation_service_pb2 import RecordFillsResponse

from domain.errors import InvalidInput
from domain.reallocation.account import GainRecord
from domain.reallocation.fills import FillOutcome, Recorded, record_fills
from domain.reallocation.planned_orders import PlanShortfall, check_planned, is_filled, plan_shortfall
from domain.records import dataclass
from domain.warnings import ResultWarning
from server.commands.fills import FillsAnswer, RecordFillsCommand, SentFill
from server.converters.dates import EPOCH
from server.converters.fill_outcome import outcome_from_bytes, outcome_to_bytes
from server.converters.fills import (
    account_from_bytes,
    cash_of,
    execution_from_content,
    gain_to_proto,
    payload_after,
    planned_orders_from_bytes,
    shortfall_to_proto,
)
from server.converters.warning import warnings_to_proto
from server.execution.control import Control
from server.ports.errors import EtagMismatch, RequestIdReused
from server.ports.fills import FillsChange, RecordedFills, StoredFill
from server.ports.portfolios import PortfolioRecord
from server.tasks.refusing import refusing

Outcomes = dict[str, FillOutcome]  # by fill id


@dataclass(frozen=True, slots=True)
class _Recording:
    """A request with what is stored, and those of its fills that are new."""

    command: RecordFillsCommand
    portfolio: PortfolioRecord
    stored: Mapping[str, StoredFill]  # by fill id
    last_days: Mapping[str, int]
    new: Sequence[SentFill]


@refusing
def recording(command: RecordFillsCommand, state: RecordedFills, now: dt.datetime, control: Control) -> FillsAnswer:
    """What the fills change, and the answer; the etag is compared only where there is something to change."""
    if state.portfolio is None:
        raise InvalidInput(
            "reallocation", "must be of a stored portfolio: this one was planned for holdings it was sent"
        )
    stored = {fill.fill_id: fill for fill in state.fills}
    new = [sent for sent in command.fills if not _is_recorded(sent, stored)]
    shortfall = None if state.plan is None else _shortfall(command, state.plan, stored.values(), new)
    outcomes = {fill_id: outcome_from_bytes(fill_id, fill.outcome) for fill_id, fill in stored.items()}
    after: FillsChange | PortfolioRecord = state.portfolio
    if new:
        _check_etag(command, state.portfolio)
        work = _Recording(command, state.portfolio, stored, state.last_days, new)
        recorded = _recorded(work, outcomes, now, control)
        outcomes = _outcomes_after(outcomes, recorded)
        completes = state.plan is not None and _completes(work, state.plan)
        after = _change(work, recorded, outcomes, completes)
    return FillsAnswer(after, _answer(command, outcomes, shortfall, cash_of(after.payload)))


def _is_recorded(sent: SentFill, stored: Mapping[str, StoredFill]) -> bool:
    """Raises RequestIdReused for a fill that is recorded with another content."""
    before = stored.get(sent.execution.fill_id)
    if before is not None and before.content != sent.content:
        raise RequestIdReused(f"{sent.execution.path}.fill_id", sent.execution.fill_id)
    return before is not None


def _shortfall(
    command: RecordFillsCommand, plan: bytes, stored: Iterable[StoredFill], new: Sequence[SentFill]
) -> PlanShortfall:
    """That of the plan with all its fills until now. Raises InvalidInput for fills that it does not have."""
    orders = planned_orders_from_bytes(plan)
    before = [execution_from_content(fill.content) for fill in stored if fill.reallocation == command.reallocation]
    fills = [sent.execution for sent in new]
    check_planned(orders, before, fills)
    return plan_shortfall(orders, [*before, *fills], command.last_prices)


def _check_etag(command: RecordFillsCommand, portfolio: PortfolioRecord) -> None:
    if command.etag and command.etag != portfolio.etag:
        raise EtagMismatch(f"portfolios/{portfolio.id} has changed since it was read; read it again", portfolio.etag)


def _recorded(work: _Recording, outcomes: Outcomes, now: dt.datetime, control: Control) -> Recorded:
    open_losses = [gain for outcome in outcomes.values() for gain in outcome.gains if gain.open_loss is not None]
    last_dates = {symbol: EPOCH + dt.timedelta(days=day) for symbol, day in work.last_days.items()}
    fills = [sent.execution for sent in work.new]
    symbols = {fill.symbol for fill in fills}
    account = account_from_bytes(work.portfolio.payload, symbols, open_losses, last_dates)
    return record_fills(account, fills, now, fees_in_gains=work.command.fees_in_gains, check_cancelled=control)


def _outcomes_after(outcomes: Outcomes, recorded: Recorded) -> Outcomes:
    """The outcomes with those of new fills, and with what these changed of earlier ones."""
    after = {**outcomes, **recorded.outcomes}
    for changed in recorded.changed:
        before = after[changed.key.fill_id]
        gains = tuple(changed if gain.key == changed.key else gain for gain in before.gains)
        after[changed.key.fill_id] = replace(before, gains=gains)
    return after


def _completes(work: _Recording, plan: bytes) -> bool:
    """Whether all of the plan is filled then."""
    name = work.command.reallocation
    before = [execution_from_content(fill.content) for fill in work.stored.values() if fill.reallocation == name]
    return is_filled(planned_orders_from_bytes(plan), [*before, *(sent.execution for sent in work.new)])


def _change(work: _Recording, recorded: Recorded, outcomes: Outcomes, completes: bool) -> FillsChange:
    changed = dict.fromkeys(gain.key.fill_id for gain in recorded.changed)
    return FillsChange(
        portfolio=work.portfolio.id,
        etag=work.portfolio.etag,
        payload=payload_after(work.portfolio.payload, recorded),
        new=tuple(_to_store(work.command, sent, outcomes[sent.execution.fill_id]) for sent in work.new),
        changed=tuple(_with_outcome(work.stored[fill_id], outcomes[fill_id]) for fill_id in changed),
        reallocation=work.command.reallocation,
        completes=completes,
    )


def _to_store(command: RecordFillsCommand, sent: SentFill, outcome: FillOutcome) -> StoredFill:
    fill = sent.execution
    stored = StoredFill(
        fill_id=fill.fill_id,
        symbol=fill.symbol,
        day=(fill.date - EPOCH).days,
        content=sent.content,
        outcome=b"",
        reallocation=command.reallocation,
        disallows=tuple(dict.fromkeys(key.fill_id for key in outcome.disallows)),
    )
    return _with_outcome(stored, outcome)


def _with_outcome(fill: StoredFill, outcome: FillOutcome) -> StoredFill:
    is_open = any(gain.open_loss is not None for gain in outcome.gains)
    return replace(fill, outcome=outcome_to_bytes(outcome), is_open=is_open)


def _answer(command: RecordFillsCommand, outcomes: Outcomes, shortfall: PlanShortfall | None, cash: float) -> bytes:
    """All but the portfolio."""
    answer = RecordFillsResponse(
        realized_gains=map(gain_to_proto, _gains(command, outcomes)),
        shortfall=None if shortfall is None else shortfall_to_proto(shortfall),
        warnings=warnings_to_proto(_warnings(command, outcomes, shortfall, cash)),
    )
    encoded: bytes = answer.SerializeToString()
    return encoded


def _gains(command: RecordFillsCommand, outcomes: Outcomes) -> Iterator[GainRecord]:
    """The gains of these fills, in their order, then those of other fills of which they disallow a loss."""
    own = dict.fromkeys(sent.execution.fill_id for sent in command.fills)
    for fill_id in own:
        yield from outcomes[fill_id].gains
    for key in dict.fromkeys(key for fill_id in own for key in outcomes[fill_id].disallows):
        if key.fill_id not in own:
            yield outcomes[key.fill_id].gains[key.number]


def _warnings(
    command: RecordFillsCommand, outcomes: Outcomes, shortfall: PlanShortfall | None, cash: float
) -> Iterator[ResultWarning]:
    without_lots: set[str] = set()
    for sent in command.fills:
        fill = sent.execution
        if not outcomes[fill.fill_id].lots_known and fill.symbol not in without_lots:
            without_lots.add(fill.symbol)
            yield ResultWarning(
                "TAX_LOTS_UNKNOWN", f"{fill.path}.symbol", f"{fill.symbol} is held without tax lots: it has no gains"
            )
    if cash < 0.0:
        yield ResultWarning("CASH_NEGATIVE", "fills", f"cash is {cash:g} after these fills")
    if shortfall is not None and shortfall.unpriced:
        symbols = ", ".join(shortfall.unpriced)
        yield ResultWarning(
            "LAST_PRICE_MISSING", "last_prices", f"missed leaves out what is not filled of {symbols}: no last price"
        )
