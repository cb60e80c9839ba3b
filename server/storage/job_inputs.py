"""What jobs run on, as the JSON that stores keep of it."""

import json
from collections.abc import Sequence
from typing import Any, overload

from domain.market_data.corporate_actions import CorporateAction
from domain.warnings import ResultWarning
from server.ports.jobs import JobInputs
from server.storage.corporate_action_rows import action_of, row_of


def inputs_to_json(inputs: JobInputs) -> str:
    """As `inputs_of` reads them."""
    return json.dumps(_fields_of(inputs))


def _fields_of(inputs: JobInputs) -> list[object]:
    groups = {name: list(symbols) for name, symbols in inputs.groups.items()}
    warnings = [[one.code, one.field, one.message] for one in inputs.warnings]
    actions = [row_of(action) for action in inputs.actions]
    trading = [inputs.volumes, inputs.earlier]
    labels = {name: list(symbols) for name, symbols in inputs.labels.items()}
    own: list[object] = [
        inputs.data,
        inputs.kind,
        dict(inputs.benchmarks),
        groups,
        warnings,
        inputs.opens,
        actions,
        trading,
        labels,
    ]
    if not inputs.sets:
        return own
    return [*own, json.dumps([_fields_of(one) for one in inputs.sets]), inputs.set_of, inputs.trial_count]


class LaterSets(Sequence[JobInputs]):
    """The sets of data of a sweep as text, which is read where one of them is needed: a job is looked at often."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: tuple[JobInputs, ...] | None = None

    @overload
    def __getitem__(self, index: int) -> JobInputs: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[JobInputs]: ...
    def __getitem__(self, index: int | slice) -> JobInputs | Sequence[JobInputs]:
        return self._sets[index]

    def __len__(self) -> int:
        return len(self._sets)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._sets == tuple(other)

    def __hash__(self) -> int:
        return hash(self._sets)

    @property
    def _sets(self) -> tuple[JobInputs, ...]:
        if self._found is None:
            self._found = tuple(map(_inputs_of, json.loads(self._text)))
        return self._found


def inputs_of(text: str) -> JobInputs:
    """As `inputs_to_json` wrote them; earlier versions wrote fewer: the last ones are trading, labels and sets."""
    return _inputs_of(json.loads(text))


def _inputs_of(written: Sequence[Any]) -> JobInputs:
    data, kind, benchmarks, groups, *rest = written
    found, opens, actions, trading, labels, sets, set_of, trial_count = ([*rest, *[None] * 8])[:8]
    volumes, earlier = trading or (None, None)
    warnings = tuple(ResultWarning(*one) for one in found or ())
    members = {name: tuple(symbols) for name, symbols in groups.items()}
    stored_actions = tuple(action_of(*one) for one in actions or ())
    labelled = {name: tuple(symbols) for name, symbols in (labels or {}).items()}
    return JobInputs(
        data,
        kind,
        benchmarks,
        members,
        warnings,
        opens,
        stored_actions,
        volumes,
        earlier,
        labelled,
        LaterSets(sets if isinstance(sets, str) else json.dumps(sets)) if sets else (),
        tuple(set_of or ()),
        trial_count or 0,
    )


def actions_to_json(actions: Sequence[CorporateAction]) -> str:
    """As `actions_of` reads them."""
    return json.dumps([row_of(action) for action in actions])


def actions_of(text: str | bytes) -> tuple[CorporateAction, ...]:
    """As `actions_to_json` wrote them."""
    return tuple(action_of(*one) for one in json.loads(text))
