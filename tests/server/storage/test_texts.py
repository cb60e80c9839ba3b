"""Texts that databases would not take come back as they were."""

from hypothesis import given
from hypothesis import strategies as st

from server.storage.texts import kept_text, text_of_kept

TEXTS = st.text(st.sampled_from("\x00\x010a\\")) | st.text()


@given(TEXTS, TEXTS)
def test_any_text_is_kept_without_nul(one: str, other: str) -> None:
    assert "\x00" not in kept_text(one)
    assert text_of_kept(kept_text(one)) == one
    assert (kept_text(one) == kept_text(other)) == (one == other)


def test_what_people_write_is_kept_as_it_is() -> None:
    assert kept_text("rebalance 2026-11 'é' \\0") == "rebalance 2026-11 'é' \\0"
