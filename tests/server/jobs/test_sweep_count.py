"""What a sweep counts for: its trials by the data that they run on."""

from server.jobs.sweep_count import trials_by_data
from server.ports.jobs import JobInputs


def test_all_trials_of_one_set_of_data_count_for_it() -> None:
    one = JobInputs("a", "prices")
    assert trials_by_data(JobInputs("a", "prices", sets=(one,), trial_count=5)) == {"a": 5}


def test_trials_count_for_the_data_that_they_run_on() -> None:
    """Sets that differ in their benchmarks alone have the same data."""
    sets = (
        JobInputs("a", "prices"),
        JobInputs("b", "prices"),
        JobInputs("a", "prices", benchmarks={"S": "c"}),
    )
    found = trials_by_data(JobInputs("a", "prices", sets=sets, set_of=(0, 1, 2, 2, 1), trial_count=5))
    assert found == {"a": 3, "b": 2}
