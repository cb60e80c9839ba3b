"""What a list by time shows, newest first, as a condition on rows."""

from server.ports.list_filter import ListFilter
from server.ports.scope import Scope
from server.storage.embedded.reallocation_states import STATE
from server.storage.pages import Position, micros_of

ORDER = "created_micros DESC, id DESC, key DESC"

_CONDITIONS = {
    "owner": "owner = :owner",
    "label": "label = :label",
    "subject": "subject = :subject",
    "state": "state = :state",
    "result_state": f"{STATE} = :result_state",
    "created_from": "created_micros >= :created_from",
    "created_before": "created_micros < :created_before",
}


def condition_of(after: Position | None, scope: Scope, filters: ListFilter) -> tuple[str, dict[str, object]]:
    """A condition on rows for WHERE, of what is set alone so that an index can serve it, and its parameters."""
    values: dict[str, object] = {
        "owner": None if scope.everyone else scope.owner,
        "label": filters.label or None,
        "subject": filters.subject or None,
        "state": filters.state,
        "result_state": filters.result_state or None,
        "created_from": None if filters.created_from is None else micros_of(filters.created_from),
        "created_before": None if filters.created_before is None else micros_of(filters.created_before),
    }
    given = {name: value for name, value in values.items() if value is not None}
    conditions = [_CONDITIONS[name] for name in given]
    if after is not None:
        conditions.append("(created_micros, id, key) < (:after_micros, :after_id, :after_key)")
        given |= {"after_micros": after.micros, "after_id": after.id, "after_key": after.key}
    return " AND ".join(conditions) or "TRUE", given
