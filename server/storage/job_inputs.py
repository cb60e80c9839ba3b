"""What jobs run on, as the JSON that stores keep of it."""

import json
from collections.abc import Sequence
from typing import Any

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
    return [*own, [_fields_of(one) for one in inputs.sets], inputs.set_of, inputs.trial_count] if inputs.sets else own


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
        tuple(map(_inputs_of, sets or ())),
        tuple(set_of or ()),
        trial_count or 0,
    )


def actions_to_json(actions: Sequence[CorporateAction]) -> str:
    """As `actions_of` reads them."""
    return json.dumps([row_of(action) for action in actions])


def actions_of(text: str | bytes) -> tuple[CorporateAction, ...]:
    """As `actions_to_json` wrote them."""
    return tuple(action_of(*one) for one in json.loads(text))
