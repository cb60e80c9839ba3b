"""The market of a backtest: prices with the state of each asset on each date, and corporate actions as arrays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.backtest.liquidity import TrailingLiquidity
from domain.backtest.simulation.arrays import DELISTING, DIVIDEND, SPLIT, Actions
from domain.checks import LARGEST_LEVERAGE, Matrix, freeze
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    DelistingPolicy,
    DividendPolicy,
    PriceBasis,
    Split,
)
from domain.market_data.missing import MissingDataPolicy, complete
from domain.market_data.panel import PricePanel, civil_date
from domain.portfolio import positions
from domain.records import dataclass

DateIndices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Market:
    """Prices of T dates and N assets, as far as a simulation needs them; a strategy sees a `MarketHistory` of it."""

    panel: PricePanel  # (T, N), the last price during a halt; 0 where an asset is not listed or worthless
    tradable: NDArray[np.bool_] | None  # (T, N); None where every asset with a price can be traded
    opens: Matrix | None  # (T, N)
    total_return: Matrix  # (T, N), prices with splits and dividends reinvested; NaN where an asset is not listed
    actions: Actions
    periods_per_year: float
    all_listed: bool  # whether every asset can be bought on every date
    liquidity: TrailingLiquidity | None = None  # from the dates before each; None where nothing asks for it
    members: NDArray[np.bool_] | None = None  # (T, N), the universe of each date; None where it holds all assets


def refuse_double_counting(actions: Sequence[CorporateAction], basis: PriceBasis) -> None:
    """Raises InvalidInput for an action that prices of this basis contain already."""
    for i, action in enumerate(actions):
        twice = (isinstance(action.event, Split) and basis is not PriceBasis.UNADJUSTED) or (
            isinstance(action.event, CashDividend) and basis is PriceBasis.ADJUSTED
        )
        if twice:
            kind = "split" if isinstance(action.event, Split) else "cash_dividend"
            fitting = "PRICE_BASIS_UNADJUSTED" if kind == "split" else "PRICE_BASIS_SPLIT_ADJUSTED or _UNADJUSTED"
            raise InvalidInput(
                f"corporate_actions[{i}].{kind}",
                f"would count twice: price_basis {basis} says that prices contain it; send {fitting} prices, "
                "or leave the action out",
            )


def with_states(
    panel: PricePanel, actions: Sequence[CorporateAction], policy: DelistingPolicy, *, every_gap: bool
) -> tuple[PricePanel, NDArray[np.bool_] | None, tuple[CorporateAction, ...]]:
    """Marks of every date, which assets can be traded, and the actions with a delisting for each gap to the end.

    Gaps before the first price mean that an asset is not listed, gaps between prices that it is halted, and a gap to
    the end that it was delisted on its first date: its return comes from an action, or from the policy. Raises
    InvalidInput for a symbol without any price, for a delisting without a return under FAIL, for a price after it, and
    for another gap than one to the end unless `every_gap` is allowed.
    """
    known = ~np.isnan(panel.values)
    if not every_gap:
        has_price_later = np.maximum.accumulate(known[::-1], axis=0)[::-1]
        inside = np.where(known | ~has_price_later, 1.0, np.nan)
        complete(PricePanel(panel.symbols, panel.dates, inside), MissingDataPolicy.FAIL)
    delisted = _delisting_dates(panel, known, actions)
    found = list(actions)
    for j in np.flatnonzero(~known[-1]).tolist():
        if j not in delisted:
            if not known[:, j].any():
                raise InvalidInput("prices", f"{panel.symbols[j]} has no price; leave the symbol out")
            last = int(np.flatnonzero(known[:, j])[-1])
            delisted[j] = last + 1
            found.append(CorporateAction(panel.symbols[j], int(panel.dates[last + 1]), Delisting()))
    if known.all() and not delisted:
        return panel, None, tuple(found)
    marks = _filled_forward(panel.values, known)
    _split_halted(marks, known, found, panel)
    tradable = known.copy()
    for j, index in delisted.items():
        tradable[index:, j] = False
    completed: list[CorporateAction] = []
    for action in found:
        completed.append(_with_return(action, policy))
    frozen = PricePanel(panel.symbols, panel.dates, freeze(marks))
    return frozen, tradable, tuple(completed)


def _delisting_dates(panel: PricePanel, known: NDArray[np.bool_], actions: Sequence[CorporateAction]) -> dict[int, int]:
    place = positions(panel.symbols)
    found: dict[int, int] = {}
    for i, action in enumerate(actions):
        if isinstance(action.event, Delisting) and action.symbol in place:
            j, index = place[action.symbol], int(np.searchsorted(panel.dates, action.day))
            if index < len(panel.dates):
                found[j] = index
                if known[index + 1 :, j].any():
                    later = civil_date(panel.dates[index + 1 + int(np.argmax(known[index + 1 :, j]))])
                    raise InvalidInput(
                        f"corporate_actions[{i}].ex_date",
                        f"{action.symbol} has a price on {later}, after its delisting",
                    )
    return found


def _with_return(action: CorporateAction, policy: DelistingPolicy) -> CorporateAction:
    if not isinstance(action.event, Delisting) or action.event.delisting_return is not None:
        return action
    known = policy.delisting_return
    if known is None:
        raise InvalidInput(
            "delisting_policy",
            f"must say what holders of {action.symbol} receive: it is delisted on {civil_date(action.day)} and no "
            "return is given; send a corporate action with delisting.return, or another policy",
        )
    return CorporateAction(action.symbol, action.day, Delisting(known))


def _filled_forward(values: Matrix, known: NDArray[np.bool_]) -> Matrix:
    """The last known value of each date, 0 before the first."""
    latest = np.where(known, np.arange(len(values))[:, None], -1)
    latest = np.maximum.accumulate(latest, axis=0)
    result: Matrix = np.where(latest >= 0, np.take_along_axis(values, np.maximum(latest, 0), axis=0), 0.0)
    return result


def _split_halted(
    marks: Matrix, known: NDArray[np.bool_], actions: Sequence[CorporateAction], panel: PricePanel
) -> None:
    """Divides the last price before a halt by the ratio of a split that takes effect during it."""
    place, dates = positions(panel.symbols), len(marks)
    ratios: dict[int, list[float]] = {}
    for action, t in zip(actions, _date_numbers(panel, actions), strict=True):
        if isinstance(action.event, Split) and action.symbol in place:
            j = place[action.symbol]
            if t < dates and not known[t, j]:
                ratios.setdefault(j, [1.0] * dates)[t] *= action.event.ratio
    for j, by_date in ratios.items():  # once through the dates, however many splits there are
        product = 1.0
        for t, is_known in enumerate(known[:, j].tolist()):
            product = 1.0 if is_known else product * by_date[t]
            marks[t, j] /= product


_NO_INDICES = np.zeros(0, np.int64)


def no_actions(policy: DividendPolicy, withholding_rate: float) -> Actions:
    """The arrays of no corporate actions."""
    none, reinvests = _NO_INDICES, policy is DividendPolicy.REINVEST
    return Actions(none, none, none, np.zeros(0), none, none, withholding_rate, reinvests)


def actions_as_arrays(
    panel: PricePanel,
    actions: Sequence[CorporateAction],
    policy: DividendPolicy,
    withholding_rate: float,
) -> Actions:
    """Corporate actions in the order in which they take effect; each on its date, or the next one of the panel.

    Raises InvalidInput for an unknown symbol, a date outside the prices of its asset, and actions that contradict.
    """
    place = positions(panel.symbols)
    rows: list[tuple[int, int, int, float, int]] = []
    first_priced = np.argmax(panel.values > 0.0, axis=0).tolist() if actions else []
    for i, (action, index) in enumerate(zip(actions, _date_numbers(panel, actions), strict=True)):
        path = f"corporate_actions[{i}]"
        if action.symbol not in place:
            raise InvalidInput(f"{path}.symbol", f"{action.symbol} is not a symbol of the input")
        j = place[action.symbol]
        if index >= len(panel.dates):
            raise InvalidInput(f"{path}.ex_date", f"is after the last date of the input, {civil_date(panel.dates[-1])}")
        first = first_priced[j]
        if action.day < panel.dates[first]:
            raise InvalidInput(
                f"{path}.ex_date", f"is before the first price of {action.symbol}, {civil_date(panel.dates[first])}"
            )
        rows.append(_row(path, action, index, j, panel))
    _refuse_contradictions(actions, rows)
    order = sorted(range(len(rows)), key=lambda k: (rows[k][0], rows[k][2], k))
    ordered = [rows[k] for k in order]
    pays = np.array([row[4] for row in ordered], np.int64)
    return Actions(
        date=np.array([row[0] for row in ordered], np.int64),
        asset=np.array([row[1] for row in ordered], np.int64),
        kind=np.array([row[2] for row in ordered], np.int64),
        amount=np.array([row[3] for row in ordered], np.float64),
        pay_date=pays,
        payment_order=np.argsort(pays, kind="stable").astype(np.int64),
        withholding_rate=withholding_rate,
        reinvests=policy is DividendPolicy.REINVEST,
    )


def _date_numbers(panel: PricePanel, actions: Sequence[CorporateAction]) -> list[int]:
    """The number of the date on which each action takes effect: its own or the next one; T after the last."""
    found: list[int] = np.searchsorted(panel.dates, [action.day for action in actions]).tolist()
    return found


def _refuse_large_dividend(path: str, amount: float, price: float) -> None:
    if amount > LARGEST_LEVERAGE * price > 0.0:
        raise InvalidInput(
            f"{path}.cash_dividend.amount",
            f"must be at most {LARGEST_LEVERAGE:g} times the price, {price:g}, is {amount:g}: beside more, "
            "the rest of the account would be lost in rounding",
        )


def _row(path: str, action: CorporateAction, index: int, j: int, panel: PricePanel) -> tuple[int, int, int, float, int]:
    """Date, asset, kind, amount and pay date of an action."""
    match action.event:
        case Split(ratio):
            return index, j, SPLIT, ratio, index
        case CashDividend(amount, pay_day):
            _refuse_large_dividend(path, amount, float(panel.values[max(index - 1, 0) : index + 1, j].max()))
            paid = index if pay_day is None else max(index, int(np.searchsorted(panel.dates, pay_day)))
            return index, j, DIVIDEND, amount, paid
        case Delisting(delisting_return):
            last = panel.values[index, j]
            return index, j, DELISTING, float(last) * (1.0 + (delisting_return or 0.0)), index


def _refuse_contradictions(
    actions: Sequence[CorporateAction], rows: Sequence[tuple[int, int, int, float, int]]
) -> None:
    seen: dict[tuple[int, int, int], int] = {}
    same: dict[CorporateAction, int] = {}
    delisted: dict[int, int] = {row[1]: row[0] for row in rows if row[2] == DELISTING}
    for i, (index, j, kind, _, _) in enumerate(rows):
        path = f"corporate_actions[{i}]"
        if kind != DIVIDEND and (earlier := seen.setdefault((0 if kind == DELISTING else index, j, kind), i)) != i:
            what = "delisting" if kind == DELISTING else "split on this date"
            raise InvalidInput(path, f"contradicts corporate_actions[{earlier}]: {actions[i].symbol} has one {what}")
        if kind == DIVIDEND and (earlier := same.setdefault(actions[i], i)) != i:
            raise InvalidInput(path, f"is the same as corporate_actions[{earlier}]")
        if kind != DELISTING and index > delisted.get(j, index):
            raise InvalidInput(f"{path}.ex_date", f"is after the delisting of {actions[i].symbol}")


def without_delisted(panel: PricePanel, actions: Actions) -> PricePanel:
    """The marks with 0 from the date of a delisting on: nothing is held or bought any more."""
    gone = np.flatnonzero(actions.kind == DELISTING) if len(actions.kind) else actions.kind
    if not len(gone):
        return panel
    marks = np.array(panel.values)
    for event in gone.tolist():
        marks[actions.date[event] :, actions.asset[event]] = 0.0
    return PricePanel(panel.symbols, panel.dates, freeze(marks))


def total_return_prices(panel: PricePanel, actions: Actions, tradable: NDArray[np.bool_] | None) -> Matrix:
    """Prices with splits and dividends reinvested at the close of their ex-dates, NaN where an asset is not listed.

    Those of a date depend on nothing later than it. Raises InvalidInput for levels beyond numbers.
    """
    values = panel.values
    changed = np.flatnonzero(actions.kind != DELISTING) if len(actions.kind) else actions.kind
    if not len(changed) and tradable is None:
        return values
    factors = np.ones_like(values)
    with np.errstate(over="ignore", invalid="ignore"):
        for event in changed.tolist():
            t, j, amount = int(actions.date[event]), int(actions.asset[event]), float(actions.amount[event])
            if actions.kind[event] == SPLIT:
                factors[t, j] *= amount
            elif values[t, j] > 0.0:
                factors[t, j] *= 1.0 + amount / values[t, j]
        result: Matrix = values * factors.cumprod(axis=0)
    if not np.isfinite(result).all():
        j = int(np.argmin(np.isfinite(result).all(axis=0)))
        raise InvalidInput("corporate_actions", f"give {panel.symbols[j]} a total return too large for a number")
    if tradable is not None:
        result[result == 0.0] = np.nan
    return freeze(result)
