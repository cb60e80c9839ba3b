"""What jobs run on, as the JSON that stores keep of it."""

import json
from collections.abc import Sequence

from domain.market_data.corporate_actions import CorporateAction
from domain.warnings import ResultWarning
from server.ports.jobs import JobInputs
from server.storage.corporate_action_rows import action_of, row_of


def inputs_to_json(inputs: JobInputs) -> str:
    """As `inputs_of` reads them."""
    groups = {name: list(symbols) for name, symbols in inputs.groups.items()}
    warnings = [[one.code, one.field, one.message] for one in inputs.warnings]
    actions = [row_of(action) for action in inputs.actions]
    trading = [inputs.volumes, inputs.earlier]
    labels = {name: list(symbols) for name, symbols in inputs.labels.items()}
    return json.dumps(
        [inputs.data, inputs.kind, dict(inputs.benchmarks), groups, warnings, inputs.opens, actions, trading, labels]
    )


def inputs_of(text: str) -> JobInputs:
    """As `inputs_to_json` wrote them; earlier versions wrote fewer: the last ones are trading and labels."""
    data, kind, benchmarks, groups, *rest = json.loads(text)
    found, opens, actions, trading, labels = ([*rest, None, None, None, None, None])[:5]
    volumes, earlier = trading or (None, None)
    warnings = tuple(ResultWarning(*one) for one in found or ())
    members = {name: tuple(symbols) for name, symbols in groups.items()}
    stored_actions = tuple(action_of(*one) for one in actions or ())
    labelled = {name: tuple(symbols) for name, symbols in (labels or {}).items()}
    return JobInputs(data, kind, benchmarks, members, warnings, opens, stored_actions, volumes, earlier, labelled)


def actions_to_json(actions: Sequence[CorporateAction]) -> str:
    """As `actions_of` reads them."""
    return json.dumps([row_of(action) for action in actions])


def actions_of(text: str | bytes) -> tuple[CorporateAction, ...]:
    """As `actions_to_json` wrote them."""
    return tuple(action_of(*one) for one in json.loads(text))
