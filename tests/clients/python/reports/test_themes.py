import pytest
from absfin.reports.themes import colour_pairs, with_variables

LIGHT = {"a": {"color": "#AAAAAA"}, "range": {"category": ["#bbbbbb", "#cccccc"], "ramp": ["#aaaaaa", "#dddddd"]}}
DARK = {"a": {"color": "#111111"}, "range": {"category": ["#222222", "#cccccc"], "ramp": ["#333333", "#444444"]}}


def test_pairs_are_colours_at_the_same_place() -> None:
    assert colour_pairs(LIGHT, DARK) == {"#aaaaaa": "#111111", "#bbbbbb": "#222222"}


def test_a_colour_cannot_stand_for_two() -> None:
    with pytest.raises(ValueError, match="#bbbbbb of the light theme"):
        colour_pairs(LIGHT | {"b": "#bbbbbb"}, DARK | {"b": "#999999"})


def test_colours_become_variables_with_their_defaults() -> None:
    svg = '<path fill="#AAAAAA" stroke="#bbbbbb"/><text fill="#cccccc"/>'
    assert with_variables(svg, colour_pairs(LIGHT, DARK)) == (
        '<path fill="var(--caaaaaa, #AAAAAA)" stroke="var(--cbbbbbb, #bbbbbb)"/><text fill="#cccccc"/>'
    )


def test_a_drawing_that_mixes_colours_has_no_variables() -> None:
    assert with_variables('<path fill="rgb(1, 2, 3)"/>', {}) is None
