"""Corporate actions, from and to their messages."""

from collections.abc import Iterable, Mapping

from absfinance.v1 import corporate_action_pb2
from absfinance.v1.corporate_action_pb2 import CorporateAction as CorporateActionProto
from absfinance.v1.market_data_service_pb2 import (
    ListCorporateActionsRequest,
    ListCorporateActionsResponse,
    UpsertCorporateActionsRequest,
)

from domain.checks import visible_symbol
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    DelistingPolicy,
    DividendPolicy,
    PriceBasis,
    Split,
    require_consistent,
)
from domain.market_data.panel import civil_date
from server.converters.dates import civil_to_proto, days_from_proto
from server.converters.paths import error_path
from server.converters.weights import optional_field
from server.ports.corporate_actions import ActionFilter, ActionPage

_BASES: Mapping[int, PriceBasis] = {
    corporate_action_pb2.PRICE_BASIS_UNSPECIFIED: PriceBasis.ADJUSTED,
    corporate_action_pb2.PRICE_BASIS_ADJUSTED: PriceBasis.ADJUSTED,
    corporate_action_pb2.PRICE_BASIS_SPLIT_ADJUSTED: PriceBasis.SPLIT_ADJUSTED,
    corporate_action_pb2.PRICE_BASIS_UNADJUSTED: PriceBasis.UNADJUSTED,
}
_DELISTING: Mapping[int, DelistingPolicy] = {
    corporate_action_pb2.DELISTING_POLICY_UNSPECIFIED: DelistingPolicy.FAIL,
    corporate_action_pb2.DELISTING_POLICY_FAIL: DelistingPolicy.FAIL,
    corporate_action_pb2.DELISTING_POLICY_LAST_PRICE: DelistingPolicy.LAST_PRICE,
    corporate_action_pb2.DELISTING_POLICY_ZERO: DelistingPolicy.ZERO,
    corporate_action_pb2.DELISTING_POLICY_SHUMWAY_NYSE: DelistingPolicy.SHUMWAY_NYSE,
    corporate_action_pb2.DELISTING_POLICY_SHUMWAY_NASDAQ: DelistingPolicy.SHUMWAY_NASDAQ,
}


def price_basis_from_proto(basis: int) -> PriceBasis:
    """What prices are adjusted for already."""
    return _BASES[basis]


def delisting_policy_from_proto(policy: int) -> DelistingPolicy:
    """The return of a delisting that has none of its own."""
    return _DELISTING[policy]


def dividend_policy_from_proto(policy: int) -> DividendPolicy:
    """What happens to a cash dividend."""
    reinvested = policy == corporate_action_pb2.DIVIDEND_POLICY_REINVEST
    return DividendPolicy.REINVEST if reinvested else DividendPolicy.CASH


def corporate_actions_from_proto(path: str, actions: Iterable[CorporateActionProto]) -> tuple[CorporateAction, ...]:
    """Actions in the order of the request. Raises InvalidInput with the path of the field."""
    return tuple(_action(f"{path}[{i}]", action) for i, action in enumerate(actions))


def actions_to_store_from_proto(request: UpsertCorporateActionsRequest) -> tuple[CorporateAction, ...]:
    """Actions to store. Raises InvalidInput where two contradict."""
    actions = corporate_actions_from_proto("corporate_actions", request.corporate_actions)
    require_consistent("corporate_actions", actions)
    return actions


def action_filter_from_proto(request: ListCorporateActionsRequest) -> ActionFilter:
    """Which actions a list shows. Raises InvalidInput for a range of dates that ends before it begins."""
    start = days_from_proto("start_date", request.start_date) if request.HasField("start_date") else None
    end = days_from_proto("end_date", request.end_date) if request.HasField("end_date") else None
    if start is not None and end is not None and start > end:
        raise InvalidInput("end_date", "must not be before start_date")
    return ActionFilter(tuple(request.symbols), start, end)


def actions_to_proto(page: ActionPage) -> ListCorporateActionsResponse:
    """A page of actions."""
    actions = map(corporate_action_to_proto, page.actions)
    return ListCorporateActionsResponse(corporate_actions=actions, next_page_token=page.next_token)


def corporate_action_to_proto(action: CorporateAction) -> CorporateActionProto:
    """An action as its message."""
    message = CorporateActionProto(symbol=action.symbol, ex_date=civil_to_proto(civil_date(action.day)))
    match action.event:
        case Split(ratio):
            message.split.ratio = ratio
        case CashDividend(amount, pay_day):
            message.cash_dividend.amount = amount
            if pay_day is not None:
                message.cash_dividend.pay_date.CopyFrom(civil_to_proto(civil_date(pay_day)))
        case Delisting(delisting_return):
            message.delisting.SetInParent()
            if delisting_return is not None:
                setattr(message.delisting, "return", delisting_return)
    return message


def _action(path: str, action: CorporateActionProto) -> CorporateAction:
    visible_symbol(f"{path}.symbol", action.symbol)
    day = days_from_proto(f"{path}.ex_date", action.ex_date)
    with error_path(path):
        return CorporateAction(action.symbol, day, _event(action))


def _event(action: CorporateActionProto) -> Split | CashDividend | Delisting:
    match action.WhichOneof("kind"):
        case "split":
            return Split(action.split.ratio)
        case "cash_dividend":
            dividend = action.cash_dividend
            paid = dividend.HasField("pay_date")
            return CashDividend(
                dividend.amount, days_from_proto("cash_dividend.pay_date", dividend.pay_date) if paid else None
            )
    return Delisting(optional_field(action.delisting, "return"))
