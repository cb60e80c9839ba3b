"""What jobs run on, as stores keep it: as it was, and read where it is needed."""

import json
from dataclasses import replace

import pytest

from server.ports.jobs import JobInputs
from server.storage.job_inputs import inputs_of, inputs_to_json

ONE = JobInputs("a", "prices", groups={"g": ("A", "B")}, labels={"sector=x": ("A",)})
SWEEP = JobInputs("a", "prices", sets=(ONE, replace(ONE, data="b")), set_of=(0, 1, 1), trial_count=3)


def test_inputs_come_back_as_they_were() -> None:
    for inputs in (ONE, SWEEP):
        assert inputs_of(inputs_to_json(inputs)) == inputs
    assert inputs_of(inputs_to_json(SWEEP)) != replace(SWEEP, sets=(ONE,))
    assert inputs_of(inputs_to_json(SWEEP)).sets[1].data == "b"


def test_the_sets_of_a_sweep_are_not_read_with_its_row() -> None:
    """A row is read whenever somebody looks how far its job is, and up to a hundred sets are large."""
    written = json.loads(inputs_to_json(SWEEP))
    written[9] = "damaged"
    found = inputs_of(json.dumps(written))
    assert (found.trial_count, found.set_of) == (3, (0, 1, 1))
    with pytest.raises(json.JSONDecodeError):
        len(found.sets)
