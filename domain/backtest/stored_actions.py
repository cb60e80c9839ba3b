"""Stored corporate actions in a backtest: which of them take effect, and how errors name them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from domain.backtest.specification import BacktestSpecification
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import ActionKind, CorporateAction, PriceBasis, delisting_days
from domain.market_data.panel import Panel, PricePanel
from domain.portfolio import positions

_TAKE_EFFECT = {
    PriceBasis.ADJUSTED: frozenset({ActionKind.DELISTING}),
    PriceBasis.SPLIT_ADJUSTED: frozenset({ActionKind.CASH_DIVIDEND, ActionKind.DELISTING}),
    PriceBasis.UNADJUSTED: frozenset(ActionKind),
}


def applicable(
    stored: Sequence[CorporateAction], specification: BacktestSpecification, panel: Panel
) -> tuple[CorporateAction, ...]:
    """The stored actions that take effect in a backtest on these prices, in their order.

    Left out are those that the price basis contains already, those in whose place the specification has one (of the
    same symbol, date and kind; a delisting on any date), those after the delisting of their symbol, and those outside
    the dates of its prices: what is stored may reach further than what is simulated.
    """
    kinds = _TAKE_EFFECT[specification.price_basis]
    replaced = {action.key for action in specification.corporate_actions}
    delisted = delisting_days(specification.corporate_actions)
    remaining = [
        action
        for action in stored
        if action.kind in kinds
        and action.key not in replaced
        and not (action.kind is ActionKind.DELISTING and action.symbol in delisted)
    ]
    last = {**delisting_days(remaining), **delisted}
    return within(panel, [action for action in remaining if action.day <= last.get(action.symbol, action.day)])


def within(panel: Panel, actions: Sequence[CorporateAction]) -> tuple[CorporateAction, ...]:
    """The actions from the first price of their symbol to the last date of the panel."""
    if not actions:
        return ()
    place = positions(panel.symbols)
    priced = panel.values > 0.0  # no value is not
    first = np.where(priced.any(axis=0), panel.dates[np.argmax(priced, axis=0)], panel.dates[-1] + 1)
    return tuple(
        action
        for action in actions
        if action.symbol in place and first[place[action.symbol]] <= action.day <= panel.dates[-1]
    )


def until(prices: PricePanel, day: int) -> PricePanel:
    """The prices with one more date where they end before a day: a delisting can come after the last price."""
    if day <= prices.dates[-1]:
        return prices
    values = np.vstack([prices.values, np.full((1, len(prices.symbols)), np.nan)])
    return PricePanel.of(prices.symbols, np.append(prices.dates, day), values)


@contextmanager
def naming_stored(actions: Sequence[CorporateAction], given: int) -> Iterator[None]:
    """Errors about an action after the first `given` name it, and the stored data: no request has its index."""
    try:
        yield
    except InvalidInput as error:
        field, rule = error.field, error.rule
        for i in range(given, len(actions)):
            rule = rule.replace(f"corporate_actions[{i}]", f"the stored {actions[i]}")
            if field == f"corporate_actions[{i}]" or field.startswith(f"corporate_actions[{i}]."):
                field, rule = "market_data", f"the stored {actions[i]} {rule}"
        raise InvalidInput(field, rule, error.reason) from None
