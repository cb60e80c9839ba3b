"""What every report says of its result: warnings, and figures that are not defined."""

from collections.abc import Iterable, Mapping

from absfin.formatting import in_words
from absfin.reports.document import Paragraph, Table
from absfin.results import ResultWarning

FINGERPRINT = 16
"""Characters of the fingerprint of an input that a report shows."""

NAMESAKES = ("sharpe", "sortino", "calmar", "treynor")
"""Figures that have the names of people."""


def warning_table(warnings: Iterable[ResultWarning]) -> Table | None:
    """The warnings of a result; None without any."""
    rows = tuple((one.code, one.message) for one in warnings)
    return Table(("warning", ""), rows, "Warnings") if rows else None


def not_defined(undefined: Mapping[str, str]) -> Paragraph | None:
    """The figures that are absent, by their reasons; None where all are there."""
    reasons: dict[str, list[str]] = {}
    for name, reason in undefined.items():
        reasons.setdefault(reason, []).append(_figure(name))
    if not reasons:
        return None
    return Paragraph("Not defined: " + "; ".join(f"{', '.join(names)} ({why})" for why, names in reasons.items()) + ".")


def _figure(name: str) -> str:
    """The name of a figure in words: sharpe_intervals.lo_2002 as Sharpe intervals: lo 2002."""
    figure, _, part = name.partition(".")
    words = in_words(figure)
    for one in NAMESAKES:
        words = words.replace(one, one.capitalize())
    return f"{words}: {in_words(part)}" if part else words
