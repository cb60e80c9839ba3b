"""Cross-validation of the choice of a sweep on the wire."""

from collections.abc import Sequence

import numpy as np
from absfinance.v1.sweep_pb2 import SweepCrossValidation

from domain.risk.figure import known
from domain.sweep.cross_validation import ONE_PATH, CrossValidation
from server.jobs.sweep_state import TrialDone

MOST_CHOSEN = 20


def cross_validation_to_proto(found: CrossValidation, trials: Sequence[TrialDone]) -> SweepCrossValidation:
    """What became of the chosen trials; `trials` are all of the sweep, in its order."""
    result = SweepCrossValidation(
        split_count=found.split_count,
        path_count=found.path_count,
        scored_split_count=found.scored_split_count,
        path_scores=found.path_scores,
        in_sample_mean=float(found.in_sample.mean()),
        out_of_sample_mean=float(found.out_of_sample.mean()),
        degradation_slope=known(found.degradation_slope),
        probability_of_loss=found.probability_of_loss,
        chosen=[
            SweepCrossValidation.Choice(index=trial, label=trials[trial].label, count=count)
            for trial, count in found.chosen[:MOST_CHOSEN]
        ],
        chosen_count=len(found.chosen),
        observations=found.observations,
        least_training_periods=found.least_training,
        undefined=found.undefined,
    )
    if found.path_scores:
        scores = np.array(found.path_scores)
        result.path_mean = float(scores.mean())
        result.path_least, result.path_greatest = float(scores.min()), float(scores.max())
        if len(scores) > 1:
            result.path_standard_deviation = float(scores.std(ddof=1))
        else:
            result.undefined["path_standard_deviation"] = ONE_PATH
    return result
