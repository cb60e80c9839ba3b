"""Whether a chart is a Vega-Lite specification: by the JSON schema of Vega-Lite, and by its compiler, which draws it.

The schema is the one that Altair ships, the compiler that of vl-convert; without them these tests are skipped.
"""

import json
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

SCHEMA = "vegalite/v6/schema/vega-lite-schema.json"


def check(specification: dict[str, Any]) -> str:
    """Fails where a specification breaks the schema, has a number that JSON has not, or cannot be drawn; its SVG."""
    text = json.dumps(specification, allow_nan=False)
    first = next(iter(_validator().iter_errors(specification)), None)
    assert first is None, f"{list(first.absolute_path)}: {first.message[:400]}"
    converter = pytest.importorskip("vl_convert")
    drawn: str = converter.vegalite_to_svg(text)
    assert drawn.startswith("<svg")
    return drawn


@cache
def _validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    found = find_spec("altair")
    if found is None or found.origin is None:
        pytest.skip("altair, which ships the schema of Vega-Lite, is not installed")
    schema = json.loads((Path(found.origin).parent / SCHEMA).read_text())
    return jsonschema.Draft7Validator(schema)


def rows(specification: dict[str, Any]) -> list[dict[str, Any]]:
    """The data of a specification."""
    found: list[dict[str, Any]] = specification["data"]["values"]
    return found


def colours(part: Any) -> Iterator[str]:
    """Every colour that is named outside `config`."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name not in ("config", "data"):
                yield from colours(value)
    elif isinstance(part, list):
        for value in part:
            yield from colours(value)
    elif isinstance(part, str) and part.startswith("#"):
        yield part
