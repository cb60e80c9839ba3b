"""Distances to the target beside bands: utilization of an asset, and the tracking error of the whole."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.monitoring.codec import state_from_bytes, state_to_bytes
from domain.monitoring.events import Event
from domain.monitoring.rules import AlarmRule, Band, DriftRules, MonitoringRules
from domain.monitoring.signals import EventKind, Phase
from domain.reallocation.request import Thresholds
from domain.reallocation.utilization import utilization
from tests.domain.monitoring.scenes import TODAY, at, bars, clock, held, history, mandated, only, quotes, raised, run

ALARM = AlarmRule(cooldown_seconds=0.0)
WIDE = Band(absolute=10.0)
"""A band that no weight leaves."""


def of_utilization(most: float) -> MonitoringRules:
    return only(drift=DriftRules(WIDE, alarm=ALARM, max_utilization=most))


def start(rules: MonitoringRules, target: dict[str, float], **units: float) -> list[Event]:
    return [
        held(units, time=at(TODAY)),
        mandated(rules, target, time=at(TODAY)),
        quotes(at(TODAY, 1), **dict.fromkeys(units, 100.0)),
    ]


def test_a_weight_beyond_its_utilization_is_told_as_a_plan_has_it() -> None:
    target = {"A": 0.2, "B": 0.8, "C": 0.0}
    state, none = run(start(of_utilization(1.2), target, A=20.0, B=80.0, C=0.0))
    assert none == []
    _, none = run([quotes(at(TODAY, 2), A=124.0)], state)
    assert none == [], "just below: 24.8 of 104.8 is 1.183 times the target"
    state, signals = run([quotes(at(TODAY, 2), A=140.0)], state)
    (signal,) = signals
    weight = 28.0 / 108.0
    assert (signal.kind, signal.phase, signal.subject.symbol, signal.subject.measure) == (
        EventKind.DRIFT, Phase.RAISED, "A", "utilization",
    )  # fmt: skip
    assert (signal.figure, signal.threshold) == (pytest.approx(weight / 0.2), 1.2)
    assert signal.message == "The weight of A is 1.296 times its target of 20 %, above the limit of 1.2."
    report = utilization("AB", {"A": weight, "B": 1.0 - weight}, target, Thresholds(max_utilization=1.2))
    assert [one.symbol for one in report.assets if one.exceeded] == ["A"]
    assert report.assets[0].utilization == pytest.approx(signal.figure)
    # Over at 1 + 0.8 of the excess that is allowed: 1.16 times the target.
    state, none = run([quotes(at(TODAY, 3), A=123.0)], state)
    assert none == []
    _, signals = run([quotes(at(TODAY, 4), A=120.0)], state)
    assert [(one.phase, one.threshold) for one in signals] == [(Phase.CLEARED, 1.2)]


def test_a_utilization_of_a_short_position_is_on_its_own_side() -> None:
    rules = of_utilization(1.5)
    state, none = run(start(rules, {"A": -0.5, "B": 1.5}, A=-50.0, B=150.0))
    assert none == []
    _, none = run([quotes(at(TODAY, 2), A=50.0)], state)
    assert none == [], "less short is no excess"
    _, signals = run([quotes(at(TODAY, 2), A=150.0)], state)
    found = [(one.subject.symbol, one.figure, one.threshold) for one in raised(signals)]
    assert found == [("A", pytest.approx(2.0), 1.5)]


def test_a_limit_of_utilization_goes_on_in_a_stored_state() -> None:
    state, signals = run(
        [*start(of_utilization(1.2), {"A": 0.5, "B": 0.5}, A=10.0, B=10.0), quotes(at(TODAY, 2), A=300.0)]
    )
    assert [one.subject.symbol for one in signals] == ["A"]
    again = state_from_bytes(state_to_bytes(state))
    assert state_to_bytes(again) == state_to_bytes(state)
    _, cleared = run([quotes(at(TODAY, 3), A=100.0)], again)
    assert [one.phase for one in cleared] == [Phase.CLEARED]


def walk(seed: int, count: int = 200) -> list[float]:
    steps = 0.01 * np.random.default_rng(seed).standard_normal(count)
    return [float(price) for price in np.round(100.0 * np.cumprod(1.0 + steps), 6)]


def of_tracking(most: float, **more: int) -> MonitoringRules:
    return only(drift=DriftRules(WIDE, alarm=ALARM, max_tracking_error_annual=most, **more))


def test_the_tracking_error_is_that_of_the_differences_to_the_target() -> None:
    """Of what is held and of what is wanted and not held; over the newest returns of the lookback."""
    closes = {"A": walk(1), "B": walk(2), "C": walk(3)}
    last = {symbol: prices[-1] for symbol, prices in closes.items()}
    target = {"A": 0.5, "C": 0.5}
    events: list[Event] = [
        history(closes),
        held({"A": 10.0, "B": 10.0}, cash=500.0, time=at(TODAY)),
        mandated(of_tracking(0.01, lookback=120), target, time=at(TODAY)),
    ]
    _, signals = run(events)
    (signal,) = signals
    worth = 10.0 * (last["A"] + last["B"]) + 500.0
    differences = np.array([10.0 * last["A"] / worth - 0.5, 10.0 * last["B"] / worth, -0.5])
    table = np.column_stack([closes[symbol] for symbol in "ABC"])
    returns = (table[1:] / table[:-1] - 1.0)[-120:]
    expected = np.sqrt(differences @ np.cov(returns.T) @ differences * 252.0)
    assert (signal.kind, signal.subject.measure) == (EventKind.DRIFT, "tracking_error_annual")
    assert (signal.figure, signal.threshold) == (pytest.approx(expected, rel=1e-12), 0.01)
    assert signal.message.startswith("The tracking error to the target is ")
    assert signal.message.endswith(" a year, above the limit of 1 %.")


def test_a_tracking_error_within_its_limit_clears() -> None:
    closes = {"A": walk(1), "B": walk(2)}
    rules = of_tracking(0.05)
    state, signals = run([history(closes), held({"A": 10.0}), mandated(rules, {"A": 0.5, "B": 0.5}, time=at(TODAY))])
    assert [one.phase for one in signals] == [Phase.RAISED]
    units = {symbol: 1000.0 / prices[-1] for symbol, prices in closes.items()}
    _, signals = run([held(units, revision=1, time=at(TODAY, 5))], state)
    assert [(one.phase, one.figure) for one in signals] == [(Phase.CLEARED, pytest.approx(0.0, abs=1e-9))]


def test_a_tracking_error_is_measured_at_the_end_of_a_date() -> None:
    closes = {"A": walk(1), "B": walk(2)}
    units = {symbol: 1000.0 / prices[-1] for symbol, prices in closes.items()}
    rules = of_tracking(0.002)
    state, none = run([history(closes), held(units), mandated(rules, {"A": 0.5, "B": 0.5}, time=at(TODAY))])
    assert none == []
    state, none = run([bars(TODAY, A=closes["A"][-1] * 1.015, B=closes["B"][-1])], state)
    assert none == [], "a net asset value within its tolerance is not measured again"
    _, signals = run([clock(TODAY, 80_000.0, closes_day=True)], state)
    assert [one.subject.measure for one in signals] == []  # 0.37 % of the weights: an error of less than 0.1 %
    _, signals = run([bars(TODAY + 1, A=closes["A"][-1] * 1.2, B=closes["B"][-1])], state)
    assert [one.subject.measure for one in raised(signals)] == ["tracking_error_annual"]


@pytest.mark.parametrize("rounding", [1e-17, -5e-10])
def test_a_difference_of_rounding_needs_no_prices(rounding: float) -> None:
    """A solver leaves weights that are not quite 0; C has no price, and is not held."""
    closes = {"A": walk(1), "B": walk(2)}
    units = {symbol: 1000.0 / prices[-1] for symbol, prices in closes.items()}
    figures = []
    for target in ({"A": 0.3, "B": 0.7}, {"A": 0.3, "B": 0.7, "C": rounding}):
        _, signals = run([history(closes), held(units), mandated(of_tracking(0.001), target, time=at(TODAY))])
        (signal,) = signals
        figures.append(signal.figure)
    assert figures[0] == figures[1] > 0.001


def test_a_difference_beyond_rounding_needs_prices() -> None:
    closes = {"A": walk(1), "B": walk(2)}
    units = {symbol: 1000.0 / prices[-1] for symbol, prices in closes.items()}
    target = {"A": 0.3, "B": 0.69, "C": 0.01}
    _, signals = run([history(closes), held(units), mandated(of_tracking(0.001), target, time=at(TODAY))])
    assert signals == []


def test_too_few_returns_have_no_tracking_error() -> None:
    closes = {"A": walk(1, 50), "B": walk(2, 50)}
    _, signals = run(
        [history(closes), held({"A": 1.0}), mandated(of_tracking(0.001), {"A": 0.5, "B": 0.5}, time=at(TODAY))]
    )
    assert signals == []


@pytest.mark.parametrize("name", ["max_utilization", "max_tracking_error_annual"])
def test_limits_are_above_zero(name: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        DriftRules(**{name: 0.0})  # type: ignore[arg-type]  # one of two fields by its name
    assert raised.value.field == name
