"""Charts as Vega-Lite specifications that a notebook draws by itself."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from absfinance.v1 import chart_pb2
from google.protobuf import json_format

from absfin.choices import ChartName, ChartTheme, choice, plain_name

MIME_TYPES = ("application/vnd.vegalite.v6+json", "application/vnd.vegalite.v6.json")
"""Of Vega-Lite 6 in a notebook: JupyterLab has the first name, Altair and its renderers the second."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: a Vega-Lite specification with its data, shown by a notebook that can draw it."""

    name: ChartName
    specification: dict[str, Any]

    @property
    def title(self) -> str:
        """What it shows."""
        return str(self.specification["title"]["text"])

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its data, thinned for drawing."""
        found: list[dict[str, Any]] = self.specification["data"]["values"]
        return found

    def to_json(self) -> str:
        """The specification as JSON."""
        return json.dumps(self.specification, allow_nan=False)

    def save(self, path: str | Path) -> None:
        """Writes the specification as JSON."""
        Path(path).write_text(self.to_json() + "\n", encoding="utf-8")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {**dict.fromkeys(MIME_TYPES, self.specification), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"Chart({self.name!r}, {self.title!r}, {len(self.rows)} rows)"


def charts_of(messages: Iterable[chart_pb2.ChartSpec]) -> dict[str, Chart]:
    """Charts by their names, in the order of an answer."""
    found = [Chart(plain_name(chart_pb2.Chart, one.chart), _plain(one)) for one in messages]
    return {chart.name: chart for chart in found}


def chart_fields(charts: Sequence[ChartName], theme: ChartTheme) -> dict[str, Any]:
    """The fields of a request of charts. Raises UnknownChoice."""
    names = [charts] if isinstance(charts, str) else charts
    return {
        "charts": [choice(chart_pb2.Chart, "charts", name) for name in names],
        "theme": choice(chart_pb2.ChartTheme, "theme", theme),
    }


def _plain(message: chart_pb2.ChartSpec) -> dict[str, Any]:
    found: dict[str, Any] = json_format.MessageToDict(message.spec)
    return found
