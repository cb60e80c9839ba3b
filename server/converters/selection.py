"""What nested selections chose, as messages."""

from absfinance.v1.backtest_pb2 import SelectionResult

from domain.backtest.selection import Followed, Selection
from domain.market_data.panel import civil_date
from domain.risk.figure import Absent, Figure, known
from server.converters.dates import civil_to_proto

MOST_CHOICES = 10_000
"""Choices that a whole result lists at most: it must fit into one message, by default 4 MiB."""


def selection_to_proto(selection: Selection, most_choices: int) -> SelectionResult:
    """The choices, at most so many of them, and what became of all."""
    result = SelectionResult(
        choices=[_choice(one) for one in selection.choices[:most_choices]],
        choice_count=len(selection.choices),
        candidates=[SelectionResult.Count(candidate=label, chosen=count) for label, count in selection.chosen],
        compared_count=selection.compared,
    )
    names = ("in_sample_mean", "out_of_sample_mean", "degradation_slope", "loss_share")
    _set(result, {name: getattr(selection, name) for name in names})
    return result


def _choice(choice: Followed) -> SelectionResult.Choice:
    message = SelectionResult.Choice(date=civil_to_proto(civil_date(choice.day)), candidate=choice.candidate or "")
    _set(message, {"in_sample_score": choice.in_sample, "out_of_sample_score": choice.out_of_sample})
    return message


def _set(message: SelectionResult | SelectionResult.Choice, figures: dict[str, Figure]) -> None:
    """Sets the figures of a message that are known, and why others are absent."""
    for name, figure in figures.items():
        if isinstance(figure, Absent):
            message.undefined[name] = figure.reason
        else:
            setattr(message, name, known(figure))
