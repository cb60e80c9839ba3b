from typing import Any

import pytest
from absfin.reports.themes import colour_pairs, mixed_pairs, used_range, with_variables

LIGHT = {"a": {"color": "#AAAAAA"}, "range": {"category": ["#bbbbbb", "#cccccc"], "ramp": ["#aaaaaa", "#dddddd"]}}
DARK = {"a": {"color": "#111111"}, "range": {"category": ["#222222", "#cccccc"], "ramp": ["#333333", "#444444"]}}


def test_pairs_are_colours_at_the_same_place() -> None:
    assert colour_pairs(LIGHT, DARK) == {"#aaaaaa": "#111111", "#bbbbbb": "#222222"}


def test_a_colour_cannot_stand_for_two() -> None:
    with pytest.raises(ValueError, match="#bbbbbb of the light theme"):
        colour_pairs(LIGHT | {"b": "#bbbbbb"}, DARK | {"b": "#999999"})


def test_colours_become_variables_with_their_defaults() -> None:
    svg = '<path fill="#AAAAAA" stroke="#bbbbbb"/><text fill="#cccccc"/>'
    assert with_variables(svg, colour_pairs(LIGHT, DARK), {}) == (
        '<path fill="var(--caaaaaa, #AAAAAA)" stroke="var(--cbbbbbb, #bbbbbb)"/><text fill="#cccccc"/>'
    )


HEAT = {"range": {"diverging": ["#e69f00", "#f6f8fa", "#56b4e9"], "ramp": ["#e7f3fb", "#0072b2"]}}
DARK_HEAT = {"range": {"diverging": ["#9a4a00", "#21262d", "#005f96"], "ramp": ["#16293a", "#56b4e9"]}}


def heat_map(interpolate: str = "rgb", *ranges: str) -> dict[str, Any]:
    """A specification with scales of the ranges, and data that happen to have their names."""
    scales = [{"scale": {"range": name, "interpolate": interpolate}} for name in ranges or ("diverging",)]
    return {"config": HEAT, "layer": scales, "data": {"values": [{"range": "ramp"}]}}


def mixed(start: str, end: str, part: float) -> tuple[float, ...]:
    """A colour between two, as the definition of linear interpolation has it."""
    pairs = zip(bytes.fromhex(start[1:]), bytes.fromhex(end[1:]), strict=True)
    return tuple((1.0 - part) * first + part * second for first, second in pairs)


def test_a_mixed_colour_is_mixed_alike_of_the_dark_range() -> None:
    used = used_range(heat_map(), DARK_HEAT)
    lights, darks = HEAT["range"]["diverging"], DARK_HEAT["range"]["diverging"]
    for side in (0, 1):
        for step in range(101):
            light = f"rgb({', '.join(str(round(one)) for one in mixed(lights[side], lights[side + 1], step / 100))})"
            pairs = mixed_pairs(f'<path fill="{light}"/>', used)
            assert pairs is not None
            dark = bytes.fromhex(pairs[light][1:])
            wanted = mixed(darks[side], darks[side + 1], step / 100)
            assert max(abs(a - b) for a, b in zip(dark, wanted, strict=True)) <= 1.0  # the rounding of both


def test_mixed_colours_become_variables_of_their_range() -> None:
    svg = '<path fill="rgb(246, 248, 250)" stroke="#56b4e9"/>'
    pairs = mixed_pairs(svg, used_range(heat_map(), DARK_HEAT))
    assert pairs == {"rgb(246, 248, 250)": "#21262d"}
    assert with_variables(svg, {"#56b4e9": "#f0e442"}, pairs, "diverging") == (
        '<path fill="var(--diverging-246-248-250, rgb(246, 248, 250))" stroke="var(--c56b4e9, #56b4e9)"/>'
    )


@pytest.mark.parametrize(
    "spec", [heat_map("hcl"), heat_map("rgb", "diverging", "ramp"), heat_map("rgb", "heatmap"), {"config": HEAT}]
)
def test_what_is_mixed_otherwise_has_no_range(spec: dict[str, Any]) -> None:
    assert used_range(spec, DARK_HEAT) is None


@pytest.mark.parametrize("colour", ["rgb(1, 2, 3)", "rgba(246, 248, 250, 0.5)"])
def test_a_colour_that_the_range_does_not_have_has_no_counterpart(colour: str) -> None:
    assert mixed_pairs(f'<path fill="{colour}"/>', used_range(heat_map(), DARK_HEAT)) is None
    assert mixed_pairs(f'<path fill="{colour}"/>', None) is None
    assert mixed_pairs('<path fill="#ffffff"/>', None) == {}
