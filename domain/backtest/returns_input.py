"""What a backtest on returns refuses: figures for one unit of an asset, which has no price there.

Returns are compounded to levels that start at 100. Whatever is a fraction of a value goes with them: weights, costs and
rates in proportion, money for a trade or of the account, the return of a delisting. Money for one unit, and numbers of
units, would be counted at an invented price.
"""

from collections.abc import Iterator

from domain.backtest.specification import BacktestSpecification, Fill
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CashDividend, PriceBasis, Split


def refuse_what_needs_prices(specification: BacktestSpecification, *, with_open_prices: bool) -> None:
    """Raises InvalidInput, with the field's path from the request on, for what has no meaning without prices."""
    found = next(_needing_prices(specification, with_open_prices=with_open_prices), None)
    if found is not None:
        field, rule = found
        raise InvalidInput(field, f"{rule}; send prices, or leave it out")


def _needing_prices(specification: BacktestSpecification, *, with_open_prices: bool) -> Iterator[tuple[str, str]]:
    """Fields and what each of them needs."""
    for i, action in enumerate(specification.corporate_actions):
        if isinstance(action.event, CashDividend):
            yield (
                f"corporate_actions[{i}].cash_dividend",
                "is money for one unit, and returns have no price; returns must contain dividends",
            )
        elif isinstance(action.event, Split):
            yield f"corporate_actions[{i}].split", "changes numbers of units, and returns have no price"
    if specification.price_basis is not PriceBasis.ADJUSTED:
        yield "price_basis", "says what prices contain, and returns contain splits and dividends"
    if specification.initial_holdings:
        yield "initial_holdings", "are numbers of units, and returns have no price; initial_capital is money"
    if not specification.fractional_holdings:
        yield "fractional_holdings", "must be true: whole units need a price, and returns have none"
    if specification.costs.commission_per_unit > 0.0:
        yield (
            "costs.commission_per_share",
            "is money for one unit, and returns have no price; commission_bps is a fraction of the traded value",
        )
    if with_open_prices:
        yield "open_prices", "are prices of one unit, and returns have no price"
    if specification.fill is Fill.NEXT_OPEN:
        yield "execution.fill", "NEXT_OPEN needs opening and closing prices, and returns have none"
