"""States as bytes: they come back whole, and nothing else comes back."""

import datetime as dt
import hashlib
from decimal import Decimal

import pytest

from domain.calendar import Frequency
from domain.errors import InvalidInput
from domain.monitoring.codec import VERSION, state_from_bytes, state_to_bytes
from domain.monitoring.events import HoldingsChange, PortfoliosChanged
from domain.monitoring.review_calendar import ReviewCalendar
from domain.monitoring.rules import Band, DriftRules, LimitRules, MonitoringRules, RiskLimit, WeightRange
from domain.monitoring.state import MonitorSettings, MonitorState
from domain.risk.measures import RiskMeasure
from domain.taxes.lots import TaxLot, TermRule
from tests.domain.monitoring.scenes import TODAY, at, bars, clock, holdings, mandated, quotes, run

LOT = TaxLot("x", Decimal("0.1"), Decimal("1.25"), dt.date(2024, 1, 2), dt.date(2023, 12, 1))

RULES = MonitoringRules(
    DriftRules(Band(1), {"A": Band(relative=0.25)}, {"g": Band(0.1)}),  # a whole number where a float is meant
    LimitRules(0.5, {"g": WeightRange(upper=0.7)}, (RiskLimit(RiskMeasure.ENTROPIC_VALUE_AT_RISK, 0.01),)),
    reviews=ReviewCalendar(Frequency.QUARTERLY, (TODAY + 3,)),
    long_term=TermRule(400),
)


DIGEST = "741676522f00bbaf6590d36381381816d9d4f5532faeaa0c7d211867cb370acd"


def rich_state() -> MonitorState:
    """Something of everything."""
    own = PortfoliosChanged(at(TODAY), (HoldingsChange("P", 3, holdings({"B": 2, "A": 1.5}, 7, lots={"A": (LOT,)})),))
    events = [
        mandated(RULES, {"A": 0.5, "B": 0.25}, {"g": ("A", "Z")}, revision=2),
        own,
        mandated(MonitoringRules(), name="only a mandate"),
        bars(TODAY, A=10.0, B=20.0),
        quotes(at(TODAY + 1, 5), A=40.0),
        clock(TODAY + 2),
    ]
    return run(events, MonitorState(MonitorSettings(300, 0.02)))[0]


def test_only_portfolios_that_changed_are_made_into_text_again() -> None:
    before = rich_state()
    state_to_bytes(before)  # texts are known from now on
    after, _ = run([mandated(RULES, {"A": 0.4}, {"g": ("A", "Z")}, revision=9, time=at(TODAY + 2))], before)
    other = "only a mandate"
    assert after.watches[other].text is before.watches[other].text
    assert after.watches["P"].text != before.watches["P"].text
    data = state_to_bytes(after)
    assert state_from_bytes(data).watches == after.watches
    assert state_to_bytes(state_from_bytes(data)) == data


def test_a_state_comes_back_whole() -> None:
    state = rich_state()
    data = state_to_bytes(state)
    again = state_from_bytes(data)
    assert state_to_bytes(again) == data
    assert again.watches == state.watches
    assert again.settings == state.settings
    assert again.time == state.time
    assert again.rows == state.rows
    assert again.values() == state.values()
    assert again.instruments.slots == state.instruments.slots
    for name in ("values", "units", "moves", "volumes", "spreads", "last_days", "end_days"):
        mine, yours = (getattr(one.instruments, name).tobytes() for one in (state, again))
        assert mine == yours, name


def test_a_new_state_comes_back() -> None:
    state = MonitorState()
    assert state_to_bytes(state_from_bytes(state_to_bytes(state))) == state_to_bytes(state)


def test_the_layout_of_bytes_is_that_of_its_version() -> None:
    """Whoever changes what is stored raises VERSION and this digest: states of before are refused, not misread."""
    digest = hashlib.sha256(state_to_bytes(rich_state())).hexdigest()
    assert (VERSION, digest) == (2, DIGEST)


@pytest.mark.parametrize("place", [0, 25, 40, 60, 500, -1])
def test_damaged_bytes_are_refused(place: int) -> None:
    data = bytearray(state_to_bytes(rich_state()))
    data[place] ^= 1
    with pytest.raises(InvalidInput, match="state: "):
        state_from_bytes(bytes(data))


@pytest.mark.parametrize("length", [0, 5, 18, 20, 30, 45, 200])
def test_short_bytes_are_refused(length: int) -> None:
    with pytest.raises(InvalidInput, match="state: "):
        state_from_bytes(state_to_bytes(rich_state())[:length])


def test_another_version_is_told_apart() -> None:
    data = bytearray(state_to_bytes(rich_state()))
    data[18:22] = (3).to_bytes(4, "little")
    with pytest.raises(InvalidInput, match="is of version 3, must be of version 2"):
        state_from_bytes(bytes(data))


def with_body(text: bytes, arrays: bytes = b"") -> bytes:
    """Bytes with a right header and digest."""
    body = len(text).to_bytes(8, "little") + text + arrays
    return b"".join([state_to_bytes(MonitorState())[:22], hashlib.blake2b(body, digest_size=16).digest(), body])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b'{"arrays": [["O", [1]]]}',
        b'{"arrays": [["<f8", [-1]]]}',
        b'{"arrays": [["<f8", [9999999999999]]]}',
        b'{"arrays": [["nothing", [1]]]}',
        b'{"arrays": [], "instruments": [["A", {}]], "settings": {}}',
        b"[" * 100_000,
    ],
)
def test_foreign_bytes_with_a_right_digest_are_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput, match="state: "):
        state_from_bytes(with_body(text))
