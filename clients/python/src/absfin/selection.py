"""What a nested selection chose, and what became of its choices."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from absfin.data import date_from_proto
from absfin.results import optional_figure


@dataclass(frozen=True, slots=True)
class SelectionChoice:
    """One choice. A score that is not defined is None, and `undefined` says why."""

    date: date
    candidate: str | None  # label; None where none could be chosen, and the weights stayed as they were
    in_sample_score: float | None  # of the candidate, over the past window
    out_of_sample_score: float | None  # of the account, from this choice to the next one
    undefined: Mapping[str, str]

    @classmethod
    def from_proto(cls, message: Any) -> "SelectionChoice":
        """From the message."""
        return cls(
            date=date_from_proto(message.date),
            candidate=message.candidate or None,
            in_sample_score=optional_figure(message, "in_sample_score"),
            out_of_sample_score=optional_figure(message, "out_of_sample_score"),
            undefined=dict(message.undefined),
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """All choices of a strategy. A figure that is not defined is None, and `undefined` says why."""

    choices: tuple[SelectionChoice, ...]  # in order of dates
    choice_count: int  # those included that choices leaves out, where there are very many
    chosen: Mapping[str, int]  # how often, by label of the candidate
    in_sample_mean: float | None
    out_of_sample_mean: float | None
    degradation_slope: float | None  # of the score out of sample on that in sample
    loss_share: float | None  # of the choices after which the account lost money until the next one
    compared_count: int  # choices that have both scores: what the four figures are of
    undefined: Mapping[str, str]

    @classmethod
    def from_proto(cls, message: Any) -> "Selection":
        """From the message."""
        return cls(
            choices=tuple(map(SelectionChoice.from_proto, message.choices)),
            choice_count=message.choice_count,
            chosen={one.candidate: one.chosen for one in message.candidates},
            in_sample_mean=optional_figure(message, "in_sample_mean"),
            out_of_sample_mean=optional_figure(message, "out_of_sample_mean"),
            degradation_slope=optional_figure(message, "degradation_slope"),
            loss_share=optional_figure(message, "loss_share"),
            compared_count=message.compared_count,
            undefined=dict(message.undefined),
        )
