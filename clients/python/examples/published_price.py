"""Publish a price, and watch what follows: the signal that a portfolio has left its band, and its new plan.

Needs a server (`absfin serve`) that follows changes. Argument: its address.
"""

import sys
from datetime import UTC, date, datetime, timedelta

from absfin import Client, Event, Holdings, Panel
from absfinance.v1.event_service_pb2 import WatchEventsResponse
from absfinance.v1.market_data_service_pb2 import PublishMarketDataRequest
from absfinance.v1.portfolio_pb2 import EVENT_KIND_DRIFT, Portfolio, Trigger
from google.type.date_pb2 import Date

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)


def watched_portfolio() -> Portfolio:
    """Ten units each of two assets. Where one is more than 5 percentage points from its half, a plan is made."""
    portfolio = Holdings({"SPRUCE": 10, "OAK": 10}).to_proto()
    for symbol in ("SPRUCE", "OAK"):
        portfolio.mandate.weights.weights.add(symbol=symbol, weight=0.5)
    portfolio.mandate.triggers.add(event=EVENT_KIND_DRIFT, threshold=0.05, action=Trigger.ACTION_REALLOCATE)
    return portfolio


def batch(day: date, closes: dict[str, float]) -> PublishMarketDataRequest:
    """The closes of a date."""
    request = PublishMarketDataRequest(batch_id=f"closes of {day}")
    for symbol, close in closes.items():
        request.bars.add(symbol=symbol, date=Date(year=day.year, month=day.month, day=day.day), close=close)
    return request


def signals_and_plan(client: Client, portfolio: str) -> tuple[list[str], str]:
    """What is noticed of a portfolio, and the name of the plan that follows."""
    signals: list[str] = []
    for news in client.watch_events(portfolios=[portfolio], kinds=["drift"]):
        if isinstance(news, Event):
            if isinstance(news.content, WatchEventsResponse.Recomputation):
                return signals, news.content.result
            signals.append(news.message)
    return signals, ""  # never: a watch ends where it is closed


def main(address: str) -> None:
    """SPRUCE rises by half."""
    with Client(address) as client:
        days = [YESTERDAY - timedelta(days=1), YESTERDAY]
        client.import_prices(Panel.of(["SPRUCE", "OAK"], days, [[100.0, 100.0], [100.0, 100.0]]))
        portfolio = client.create_portfolio(watched_portfolio())
        for stored in client.publish_market_data([batch(TODAY, {"SPRUCE": 150.0, "OAK": 100.0})]):
            print(f"published: {stored.accepted_count} closes")
        signals, name = signals_and_plan(client, portfolio.name)
        for message in signals:
            print(f"signal: {message}")
        plan = client.get_reallocation(name)
        print(f"plan for {len(signals)} signals: {plan.outcome}")
        for trade in plan.trades:
            verb = "sell" if trade.quantity < 0 else "buy"
            print(f"{trade.step}. {verb} {abs(trade.quantity):g} {trade.symbol} at {trade.price:.2f}")
        held = client.get_portfolio(portfolio.name).holdings
        print(f"held as before: {', '.join(f'{one.quantity:g} {one.symbol}' for one in held)}")
        client.delete_portfolio(portfolio.name)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
