"""One drawing in the colours of a light and of a dark page, by CSS variables: half the work of drawing each twice.

The server keeps all colours of a chart in the `config` of its specification, the same for every chart of a theme. A
colour of the light theme becomes a variable whose default it is, and a dark page gives the variable the colour that
stands at the same place of the dark theme.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

HEX = re.compile(r"#[0-9a-fA-F]{6}")
CONTINUOUS = ("diverging", "ramp", "heatmap", "ordinal")
"""Ranges between whose colours others are mixed, which no variable can name."""

MIXED = re.compile(r"\brgba?\(")
"""A mixed colour in a drawing."""


def colour_pairs(light: Mapping[str, Any], dark: Mapping[str, Any]) -> dict[str, str]:
    """Colour of the light `config` -> that of the dark one, where they differ.

    Raises ValueError where one light colour stands for two dark ones.
    """
    pairs: dict[str, str] = {}
    for first, second in _differences(light, dark):
        if pairs.setdefault(first.lower(), second.lower()) != second.lower():
            raise ValueError(f"{first} of the light theme stands for two colours of the dark one")
    return pairs


def with_variables(svg: str, pairs: Mapping[str, str]) -> str | None:
    """A drawing whose colours a page can replace; None where it mixes colours, and must be drawn again."""
    if MIXED.search(svg):
        return None
    return HEX.sub(lambda found: variable(found[0], pairs), svg)


def variable(colour: str, pairs: Mapping[str, str]) -> str:
    """The reference to a colour: var(--c1f2328, #1f2328), or the colour itself where both themes have it."""
    return f"var({name_of(colour)}, {colour})" if colour.lower() in pairs else colour


def name_of(colour: str) -> str:
    """The name of the variable of a colour."""
    return f"--c{colour.lower().removeprefix('#')}"


def _differences(light: Any, dark: Any) -> Iterator[tuple[str, str]]:
    if isinstance(light, Mapping):
        for key, value in light.items():
            if key not in CONTINUOUS:
                yield from _differences(value, dark[key])
    elif isinstance(light, list):
        for value, other in zip(light, dark, strict=True):
            yield from _differences(value, other)
    elif isinstance(light, str) and HEX.fullmatch(light) and light.lower() != dark.lower():
        yield light, dark
