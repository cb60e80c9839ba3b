"""One drawing in the colours of a light and of a dark page, by CSS variables: half the work of drawing each twice.

The server keeps all colours of a chart in the `config` of its specification, the same for every chart of a theme. A
colour of the light theme becomes a variable whose default it is, and a dark page gives the variable the colour that
stands at the same place of the dark theme. A colour that is mixed between those of a range, as of a cell of a heat map,
becomes one too: the dark page has the mixture in the same proportion between the colours of its own range.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

HEX = re.compile(r"#[0-9a-fA-F]{6}")
CONTINUOUS = ("diverging", "ramp", "heatmap", "ordinal")
"""Ranges between whose colours others are mixed."""

MIXED = re.compile(r"\brgba?\([^()]*\)")
"""A mixed colour in a drawing."""

OPAQUE = re.compile(r"rgb\((\d+), (\d+), (\d+)\)")

ROUNDING = 1.0
"""How far a mixed colour may be from the line between two others, in steps of a channel of 256."""

Colour = tuple[float, ...]
"""Red, green and blue from 0 to 255."""


@dataclass(frozen=True, slots=True)
class Range:
    """Colours of a light and of a dark page between which others are mixed, one after the other alike."""

    name: str
    light: tuple[Colour, ...]
    dark: tuple[Colour, ...]

    def counterpart(self, mixed: Colour) -> Colour | None:
        """The dark colour of a mixed one of the light page; None if it is not mixed of this range."""
        for (first, second), (dark_first, dark_second) in zip(pairwise(self.light), pairwise(self.dark), strict=True):
            part = _part(mixed, first, second)
            if part is not None:
                return _between(dark_first, dark_second, part)
        return None


def colour_pairs(light: Mapping[str, Any], dark: Mapping[str, Any]) -> dict[str, str]:
    """Colour of the light `config` -> that of the dark one, where they differ.

    Raises ValueError where one light colour stands for two dark ones.
    """
    pairs: dict[str, str] = {}
    for first, second in _differences(light, dark):
        if pairs.setdefault(first.lower(), second.lower()) != second.lower():
            raise ValueError(f"{first} of the light theme stands for two colours of the dark one")
    return pairs


def used_range(spec: Mapping[str, Any], dark: Mapping[str, Any]) -> Range | None:
    """The range whose colours a specification mixes, of RGB; None if it names none or several, or mixes otherwise.

    `dark` is the `config` of the dark theme.
    """
    names = set(_named_ranges(spec))
    if len(names) != 1:
        return None
    name = names.pop()
    lights, darks = (config.get("range", {}).get(name) for config in (spec.get("config", {}), dark))
    if not (_are_colours(lights) and _are_colours(darks)) or len(lights) != len(darks):
        return None
    return Range(name, tuple(map(_channels, lights)), tuple(map(_channels, darks)))


def mixed_pairs(svg: str, used: Range | None) -> dict[str, str] | None:
    """Mixed colour of a light drawing -> that of a dark one; None where there is one that the range does not have."""
    pairs: dict[str, str] = {}
    for colour in set(MIXED.findall(svg)):
        channels = OPAQUE.fullmatch(colour)
        found = used.counterpart(tuple(map(float, channels.groups()))) if used and channels else None
        if found is None:
            return None
        pairs[colour] = "#" + "".join(f"{round(channel):02x}" for channel in found)
    return pairs


def with_variables(svg: str, pairs: Mapping[str, str], mixed: Mapping[str, str], scope: str = "") -> str:
    """A drawing whose colours, and mixed colours, a page can replace. `scope` is the name of the range of these."""
    plain = HEX.sub(lambda found: variable(found[0], pairs), svg)
    return MIXED.sub(lambda found: variable(found[0], mixed, scope), plain)


def variable(colour: str, pairs: Mapping[str, str], scope: str = "") -> str:
    """The reference to a colour: var(--c1f2328, #1f2328), or the colour itself where both themes have it."""
    return f"var({name_of(colour, scope)}, {colour})" if colour.lower() in pairs else colour


def name_of(colour: str, scope: str = "") -> str:
    """The name of the variable of a colour: --c1f2328, or --diverging-31-35-40 of one mixed in a range."""
    if colour.startswith("#"):
        return f"--c{colour.lower().removeprefix('#')}"
    return f"--{scope}-{'-'.join(re.findall('[0-9]+', colour))}"


def _named_ranges(part: Any) -> Iterator[str]:
    """The ranges that scales of continuous colours name, each as often as it is."""
    if isinstance(part, Mapping):
        named = part.get("range")
        if isinstance(named, str) and named in CONTINUOUS:
            yield named if part.get("interpolate") == "rgb" else ""
        for key, value in part.items():
            if key not in ("data", "config"):
                yield from _named_ranges(value)
    elif isinstance(part, list):
        for value in part:
            yield from _named_ranges(value)


def _are_colours(entries: Any) -> bool:
    return isinstance(entries, list) and all(isinstance(entry, str) and HEX.fullmatch(entry) for entry in entries)


def _channels(colour: str) -> Colour:
    return tuple(float(channel) for channel in bytes.fromhex(colour.removeprefix("#")))


def _part(mixed: Colour, first: Colour, second: Colour) -> float | None:
    """The part of the second colour in one mixed of both, from 0 to 1; None if it is not."""
    way = [b - a for a, b in zip(first, second, strict=True)]
    length = sum(step * step for step in way)
    if not length:
        return None
    along = sum(step * (value - a) for step, value, a in zip(way, mixed, first, strict=True)) / length
    part = min(max(along, 0.0), 1.0)
    nearest = _between(first, second, part)
    return part if max(abs(a - b) for a, b in zip(nearest, mixed, strict=True)) <= ROUNDING else None


def _between(first: Sequence[float], second: Sequence[float], part: float) -> Colour:
    return tuple(a + part * (b - a) for a, b in zip(first, second, strict=True))


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
