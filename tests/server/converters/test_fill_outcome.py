"""The stored outcome of a fill is read as it was written."""

from hypothesis import given
from hypothesis import strategies as st

from domain.reallocation.account import GainKey, GainRecord
from domain.reallocation.fills import FillOutcome
from domain.taxes.gains import RealizedGain
from domain.taxes.lots import Term
from domain.taxes.wash_sales import OpenLoss
from server.converters.fill_outcome import outcome_from_bytes, outcome_to_bytes

AMOUNT = st.decimals(allow_nan=False, allow_infinity=False)
TEXT = st.text(min_size=1, max_size=5)
GAIN = st.builds(RealizedGain, TEXT, TEXT, AMOUNT, AMOUNT, st.sampled_from(Term), AMOUNT)
LOSS = st.builds(OpenLoss, st.dates(), AMOUNT, AMOUNT, st.integers(0, 100_000))
GAINS = st.lists(st.tuples(GAIN, st.none() | LOSS), max_size=3)
KEYS = st.lists(st.builds(GainKey, TEXT, st.integers(0, 9)), max_size=3)


@given(GAINS, KEYS, st.booleans())
def test_a_round_trip(
    gains: list[tuple[RealizedGain, OpenLoss | None]], disallows: list[GainKey], lots_known: bool
) -> None:
    records = tuple(GainRecord(GainKey("f", i), gain, loss) for i, (gain, loss) in enumerate(gains))
    outcome = FillOutcome(records, tuple(disallows), lots_known)
    assert outcome_from_bytes("f", outcome_to_bytes(outcome)) == outcome
