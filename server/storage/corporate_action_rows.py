"""Corporate actions as rows of a table, and the tokens of their pages."""

import hashlib
import re
from dataclasses import astuple

from domain.errors import InvalidInput
from domain.market_data.corporate_actions import ActionKind, CashDividend, CorporateAction, Delisting, Split
from server.ports.corporate_actions import ActionFilter
from server.storage.texts import kept_text, text_of_kept

HASH_DIGITS = 16

Row = tuple[str, int, str, float | None, int | None]
"""Symbol, day, kind, amount and pay day."""

_TOKEN = re.compile(
    rf"([0-9a-f]{{{HASH_DIGITS}}})\.(-?[0-9]{{1,9}})\.([A-Z_]{{1,20}})\.(.{{1,64}})", re.DOTALL | re.ASCII
)


def row_of(action: CorporateAction) -> Row:
    """An action as `action_of` reads it."""
    match action.event:
        case Split(ratio):
            return action.symbol, action.day, action.kind, ratio, None
        case CashDividend(amount, pay_day):
            return action.symbol, action.day, action.kind, amount, pay_day
        case Delisting(delisting_return):
            return action.symbol, action.day, action.kind, delisting_return, None


def action_of(symbol: str, day: int, kind: str, amount: float | None, pay_day: int | None) -> CorporateAction:
    """An action from what `row_of` made of it."""
    if kind == ActionKind.DELISTING:
        return CorporateAction(symbol, day, Delisting(amount))
    if amount is None:
        raise ValueError(f"a stored {kind} of {symbol} has no amount")
    return CorporateAction(symbol, day, Split(amount) if kind == ActionKind.SPLIT else CashDividend(amount, pay_day))


def kept_row_of(action: CorporateAction) -> Row:
    """The same for a database, whose texts have no NUL."""
    symbol, day, kind, amount, pay_day = row_of(action)
    return kept_text(symbol), day, kind, amount, pay_day


def kept_action_of(symbol: str, day: int, kind: str, amount: float | None, pay_day: int | None) -> CorporateAction:
    """An action from what `kept_row_of` made of it."""
    return action_of(text_of_kept(symbol), day, kind, amount, pay_day)


def token_of(last: CorporateAction, filters: ActionFilter) -> str:
    """The token of the page after an action."""
    symbol, day, kind = last.key
    return f"{_hash_of(filters)}.{day}.{kind}.{symbol}"


def after_of(token: str, filters: ActionFilter) -> tuple[str, int, str] | None:
    """What the page follows on, None for the first page. Raises InvalidInput for a token that belongs elsewhere."""
    if not token:
        return None
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise InvalidInput("page_token", "is not a token of an earlier page; begin again without a token")
    hashed, day, kind, symbol = parts.groups()
    if hashed != _hash_of(filters):
        raise InvalidInput("page_token", "belongs to a list with other filters; begin again without a token")
    return symbol, int(day), kind


def _hash_of(filters: ActionFilter) -> str:
    return hashlib.sha256(repr(("corporate action", *astuple(filters))).encode()).hexdigest()[:HASH_DIGITS]
