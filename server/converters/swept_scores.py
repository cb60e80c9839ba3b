"""The scores of a sweep that is over, as its chart shows them."""

from collections.abc import Sequence

from absfinance.v1.backtest_service_pb2 import ListSweepTrialsResponse

from domain.charts.sweep_surface import SweptScores
from domain.sweep.ranking import Score, ranking
from server.converters.sweep_request import GridTrials, ListedTrials


def swept_scores(trials: GridTrials | ListedTrials, score: Score, pieces: Sequence[bytes]) -> SweptScores:
    """The score of each trial that has one, from all stored pieces."""
    listed = (one for piece in pieces for one in ListSweepTrialsResponse.FromString(piece).trials)
    scores = {one.index: one.score for one in listed if one.HasField("score")}
    grid = trials.grid if isinstance(trials, GridTrials) else None
    axes = trials.axes if isinstance(trials, GridTrials) else ()
    numbers = {
        place: tuple(setting.number for setting in axis.settings)
        for place, axis in enumerate(axes)
        if all(setting.WhichOneof("value") == "number" for setting in axis.settings)
    }
    return SweptScores(score.value, grid, numbers, scores, ranking(scores, score).best)
