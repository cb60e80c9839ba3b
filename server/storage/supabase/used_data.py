"""What results have used, as functions of the database take it."""

from server.ports.used_data import UsedData
from server.storage.texts import kept_text


def used_argument(used: UsedData | None) -> dict[str, object] | None:
    """As `absfin.record_used` takes it; null where nothing stored was used."""
    if used is None:
        return None
    return {
        "last": used.last_correction,
        "ranges": [[one.field, one.first, one.last, [*map(kept_text, one.symbols)]] for one in used.ranges],
    }
