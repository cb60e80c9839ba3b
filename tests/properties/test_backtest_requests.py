"""Random requests with figures of every size: a backtest has finite figures that reconcile, or names a field."""

import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import protovalidate
import pytest
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from google.protobuf import json_format

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.result import StrategyOutcome
from domain.errors import InvalidInput
from server.converters.backtests import specification_from_bytes
from server.converters.market_input import prices_from_proto
from tests.e2e.test_simulation import fixed
from tests.e2e.test_simulation_errors import SIZED, request

SIZES = (
    *(0.0, 1e-300, 1e-15, 0.01, 0.1, 0.5, 0.999999, 1.0, 2.0, 10.0, 100.0, 252.0),
    *(1e5, 1e8, 1e15, 1e300, -0.5, -1.0, -50.0),
)
CHOICES: tuple[Callable[[Random], dict[str, Any]], ...] = (
    lambda _: {"fractionalHoldings": False, "initialCapital": 1000},
    lambda _: {"chargeInitialPurchase": False},
    lambda rng: {"conventions": rng.choice(["CONVENTIONS_BT", "CONVENTIONS_VECTORBT"])},
    lambda rng: {"execution": {"fill": "FILL_SAME_CLOSE", "lagPeriods": rng.choice([0, 1, 2])}},
    lambda _: {"rebalancing": {"flowsOnly": True}},
    lambda rng: {"rebalancing": {"everyPeriods": {"n": 2}, "tranches": rng.choice([2, 3, 250])}},
    lambda _: {"rebalancing": {"minPeriodsBetween": 2}},
    lambda _: {"delistingPolicy": "DELISTING_POLICY_ZERO"},
    lambda _: {"missingData": "MISSING_DATA_POLICY_ASSET_STATES"},
    lambda rng: {
        "costs": {"dayCount": rng.choice(["DAY_COUNT_ACT_360", "DAY_COUNT_BARS"]), "managementFeeAnnual": 0.01}
    },
    lambda rng: {
        "strategy": fixed(A=rng.choice([0, 1, 3, -1, -3]), B=rng.choice([0, 1, -2, 0.7])),
        "margin": {"maintenanceRatio": rng.choice([0.1, 0.5, 0.9])},
    },
)


@pytest.mark.parametrize("block", range(4))
def test_figures_are_finite_and_reconcile(block: int) -> None:
    succeeded = 0
    for seed in range(1000 * block, 1000 * block + 1000):
        sent = random_request(Random(seed))  # repeatable, not secret
        message = json_format.ParseDict(sent, BacktestRequest())
        try:
            protovalidate.validate(message)
        except protovalidate.ValidationError:
            continue
        outcome = outcome_of(message)
        if outcome is not None:
            succeeded += 1
            check(outcome, sent)
    assert succeeded > 300


def random_request(rng: Random) -> dict[str, Any]:
    """Up to eight parts of a request on top of a plain one, most of them with a number of some size."""
    made = request()
    for _ in range(rng.choice((1, 2, 3, 4, 6, 8))):
        size = rng.choice(SIZES) if rng.random() < 0.8 else rng.uniform(-1.0, 3.0)
        part = SIZED[rng.choice(list(SIZED))](size) if rng.random() < 0.7 else rng.choice(CHOICES)(rng)
        add(made, part)
    return made


def add(made: dict[str, Any], part: Mapping[str, Any]) -> None:
    """Costs and rules are added to those that are there, events and flows likewise; the rest is replaced."""
    for name, value in part.items():
        there = made.get(name)
        if isinstance(value, dict) and isinstance(there, dict) and name in ("costs", "rebalancing", "execution"):
            made[name] = {**there, **value}
        elif isinstance(value, list) and isinstance(there, list):
            made[name] = there + value
        else:
            made[name] = value


def outcome_of(message: BacktestRequest) -> StrategyOutcome | None:
    """What the strategy did, or nothing where the request is refused, which names a field."""
    try:
        specification = specification_from_bytes(message.SerializeToString())
        opens = prices_from_proto(message.open_prices) if message.HasField("open_prices") else None
        plan = prepare(specification, prices_from_proto(message.prices), opens=opens)
        return run(plan, lambda _: None, lambda: None).strategies[0]
    except InvalidInput as error:
        assert error.field  # noqa: PT017  # most requests are valid
        return None


def check(outcome: StrategyOutcome, sent: dict[str, Any]) -> None:
    """Every figure is finite, and the net asset value at the end is explained to 1e-6 of the largest part of it."""
    money = outcome.reconciliation
    assert money is not None
    assert outcome.record is not None
    parts = (money.start_nav, money.flows, money.gains, -money.costs)
    assert all(map(math.isfinite, (*parts, money.end_nav, *outcome.record.nav.tolist()))), sent
    largest = max(map(abs, (*parts, money.end_nav, money.uncovered_loss)))
    assert math.fsum(parts) == pytest.approx(money.end_nav, abs=1e-6 * largest), sent
    assert money.end_nav >= 0.0
