"""ReallocateBatch where accounts depend on each other: they are planned, volume is divided, and some are planned again.

What is kept of an account between the tasks is in the files of its piece; a piece is a small lot of accounts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from datetime import date
from pathlib import Path

from domain.errors import InvalidInput
from domain.reallocation.batch_account import (
    Consent,
    SharedTerms,
    market_of,
    traded_first,
    wants_of,
    with_crosses,
    with_shares,
)
from domain.reallocation.batch_division import AccountState, divide_all, settle_all
from domain.reallocation.flow import reallocate
from domain.reallocation.result import Reallocation
from domain.records import dataclass
from server.commands.stored import DataRequest, StoredData
from server.converters.reallocation import planned_to_bytes
from server.converters.reallocation_batch import (
    not_reallocated_to_bytes,
    reallocated_to_bytes,
    shared_terms_from_proto,
)
from server.execution.control import Control
from server.storage.scratch import ItemWriter, read_items
from server.tasks.reallocate import Prepared, prepared_reallocation
from server.tasks.reallocate_batch import (
    ERRORS,
    BatchPortfolio,
    account_of,
    key_of,
    needed_by,
    raise_error_of,
    shared_of,
)
from server.tasks.refusing import refusing


@dataclass(frozen=True, slots=True)
class Piece:
    """Some accounts of a batch by their files; `count` of each file counts."""

    plans: Path  # of Planned
    states: Path  # of State
    replanned: Path  # of tuples of an index and a Planned
    count: int = 0


@dataclass(frozen=True, slots=True)
class PlannedAccount:
    """An account with its plan, or its outcome where it has none."""

    key: str
    prepared: Prepared | None = None
    found: Reallocation | None = None
    outcome: bytes = b""


@dataclass(frozen=True, slots=True)
class State:
    """What is kept of an account for the others."""

    key: str
    account: AccountState = field(default_factory=AccountState)
    is_twice: bool = False  # an earlier account has this key
    is_open: bool = False  # whether it is to be planned again


@refusing
def plan_first(
    file: Path,
    piece: Piece,
    requests: Sequence[bytes],
    found: StoredData | None,
    control: Control,
    report: Callable[[int], None],
) -> DataRequest | None:
    """Plans accounts as if each had all volume; reports the number of assets of each; or says what is needed first."""
    shared, today = shared_of(file)
    terms = shared_terms_from_proto(shared)
    read = [account_of(request, shared) for request in requests]
    if needed := needed_by(read, found, control):
        return needed
    last: PlannedAccount | None = None
    with ItemWriter(piece.plans) as plans, ItemWriter(piece.states) as states:
        for account in read:
            control()
            planned = _planned(account, today, terms, found, control)
            last = _with_market_of(last, planned)
            plans.write(last)
            states.write(_state(last, account.consent, terms))
            report(0 if planned.prepared is None else len(planned.prepared.request.market.quotes))
    return None


@refusing
def give_up_first(piece: Piece, request: bytes, error: Exception, control: Control) -> None:
    """The outcome of an account whose task had to be ended."""
    key = key_of(request)
    with ItemWriter(piece.plans) as plans, ItemWriter(piece.states) as states:
        plans.write(PlannedAccount(key, outcome=not_reallocated_to_bytes(key, error)))
        states.write(State(key))


@refusing
def divide_volume(pieces: Sequence[Piece], control: Control) -> list[int]:
    """Divides what the accounts want; the places of the pieces that have accounts to plan again."""
    states = [list(read_items(piece.states, piece.count)) for piece in pieces]
    keys: set[str] = set()
    for some in states:
        for i, state in enumerate(some):
            some[i] = replace(state, is_twice=state.key in keys)
            keys.add(state.key)
    divided = divide_all(_by_key(states), control)
    for some in states:
        for i, state in enumerate(some):
            if not state.is_twice:
                account = divided[state.key]
                some[i] = replace(state, account=account, is_open=not account.fits)
    return _written(pieces, states)


@refusing
def plan_again(piece: Piece, errors: Mapping[int, Exception], control: Control, report: Callable[[int], None]) -> None:
    """Plans the open accounts of a piece with their shares; reports the place of each.

    `errors` are those of accounts whose task had to be ended, by their place among the open ones.
    """
    states: list[State] = list(read_items(piece.states, piece.count))
    plans: list[PlannedAccount] = list(read_items(piece.plans, piece.count))
    done = _replanned(piece)
    places = [place for place, state in enumerate(states) if state.is_open]
    for number, place in enumerate(places):
        control()
        account = _again(plans[place], states[place], errors.get(number), control)
        done[place] = account
        traded = {} if account.found is None else traded_first(account.found)
        states[place] = replace(states[place], account=replace(states[place].account, traded=traded), is_open=False)
        report(place)
    _write(piece.replanned, [len(done), *done.items()])
    _write(piece.states, states)


@refusing
def settle_crosses(pieces: Sequence[Piece], last: bool, control: Control) -> list[int]:
    """What accounts cross; the places of the pieces with accounts that cannot cross enough and are planned again."""
    states: list[list[State]] = [list(read_items(piece.states, piece.count)) for piece in pieces]
    settled, smaller = settle_all(_by_key(states), control, last=last)
    for some in states:
        for i, state in enumerate(some):
            if not state.is_twice:
                some[i] = replace(state, account=settled[state.key], is_open=state.key in smaller)
    return _written(pieces, states)


@refusing
def answer(piece: Piece, control: Control, report: Callable[[bytes], None]) -> None:
    """Reports the outcomes of a piece, in its order."""
    again = _replanned(piece)
    both = zip(read_items(piece.plans, piece.count), read_items(piece.states, piece.count), strict=True)
    for place, (planned, state) in enumerate(both):
        control()
        report(_outcome(again.get(place, planned), state, control))


def _planned(
    account: BatchPortfolio, today: date, terms: SharedTerms | None, found: StoredData | None, control: Control
) -> PlannedAccount:
    try:
        raise_error_of(account, found)
        with prepared_reallocation(account.request, today, found or StoredData(), control) as prepared:
            participation = None if terms is None else terms.max_participation
            prepared = replace(prepared, request=replace(prepared.request, batch_participation=participation))
            return PlannedAccount(account.key, prepared, reallocate(prepared.request, control))
    except ERRORS as error:
        return _failed(account.key, error, control)
    finally:
        control.unlimited()


def _failed(key: str, error: Exception, control: Control) -> PlannedAccount:
    control.unlimited()
    control()  # whoever asked may have left, or the whole batch may be out of time
    return PlannedAccount(key, outcome=not_reallocated_to_bytes(key, error))


def _with_market_of(before: PlannedAccount | None, account: PlannedAccount) -> PlannedAccount:
    """The account with the market object of the one before, if they are equal: a file has it once."""
    if before is None or before.prepared is None or account.prepared is None:
        return account
    market, request = before.prepared.request.market, account.prepared.request
    if request.market != market:
        return account
    return replace(account, prepared=replace(account.prepared, request=replace(request, market=market)))


def _state(account: PlannedAccount, consent: Consent, terms: SharedTerms | None) -> State:
    if account.prepared is None or account.found is None or terms is None:
        return State(account.key)
    request = account.prepared.request
    wants = wants_of(request, account.found, consent)
    quotes = request.market.quotes
    markets = {symbol: market_of(quotes[symbol], request.horizon_days, terms) for symbol in wants}
    return State(account.key, AccountState(consent.may_cross, wants, markets, traded_first(account.found)))


def _by_key(states: Sequence[Sequence[State]]) -> dict[str, AccountState]:
    return {state.key: state.account for some in states for state in some if not state.is_twice}


def _again(account: PlannedAccount, state: State, error: Exception | None, control: Control) -> PlannedAccount:
    if account.prepared is None:
        raise RuntimeError("an account without a plan has no share")
    if error is not None:
        return _failed(account.key, error, control)
    try:
        request = with_shares(account.prepared.request, state.account.wants, state.account.shares)
        return replace(account, found=reallocate(request, control))
    except ERRORS as failed:
        return _failed(account.key, failed, control)


def _outcome(account: PlannedAccount, state: State, control: Control) -> bytes:
    if state.is_twice:
        error = InvalidInput("account.key", "must be different from those of the other accounts of the batch")
        return not_reallocated_to_bytes(account.key, error)
    if account.prepared is None or account.found is None:
        return account.outcome
    try:
        found = with_crosses(account.prepared.request, account.found, state.account.crossed, control)
        return reallocated_to_bytes(account.key, planned_to_bytes(account.prepared.with_figures(found)))
    except ERRORS as error:
        return _failed(account.key, error, control).outcome


def _replanned(piece: Piece) -> dict[int, PlannedAccount]:
    if not piece.replanned.stat().st_size:
        return {}
    items = read_items(piece.replanned, 1)
    count: int = next(items)
    return dict(list(read_items(piece.replanned, 1 + count))[1:])


def _written(pieces: Sequence[Piece], states: Sequence[Sequence[State]]) -> list[int]:
    """Writes the states; the places of pieces with open accounts."""
    for piece, some in zip(pieces, states, strict=True):
        _write(piece.states, some)
    return [place for place, some in enumerate(states) if any(state.is_open for state in some)]


def _write(path: Path, items: Sequence[object]) -> None:
    with ItemWriter(path) as file:
        for item in items:
            file.write(item)
