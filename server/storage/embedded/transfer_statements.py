"""How rows of a copy are read from SQLite and stored there, by the name of their table.

A selection is told a place and the largest number of rows; its columns are named as in the table of the copy. It goes
along the index of owners and ids, which CROSS JOIN and + see to, and ends with its last row: no page sorts a table.
"""

from collections.abc import Mapping

_RESULT = (
    "owner, id, request_id, input_fingerprint, subject, label, created_micros AS created, "
    "{more}body, summary, payload FROM {table} WHERE (owner, id) > (?, ?) ORDER BY owner, id LIMIT ?"
)

SELECTS: Mapping[str, str] = {
    "portfolios": (
        "SELECT owner, id, request_id, revision, created_micros AS created, updated_micros AS updated, body, payload "
        "FROM portfolios WHERE (owner, id) > (?, ?) ORDER BY owner, id LIMIT ?"
    ),
    # Positions are counted from the portfolio of the place on: what lies before it need not be read.
    "fills": (
        "SELECT place.owner, place.portfolio, place.position, f.fill_id, f.symbol, f.day, "
        "f.reallocation_id AS reallocation, f.is_open, (SELECT json_group_array(d.sold_fill_id) "
        "FROM disallowed_losses d WHERE d.portfolio_key = f.portfolio_key AND d.fill_id = f.fill_id) AS disallows, "
        "f.content, f.outcome FROM ("
        "SELECT owner, portfolio, row, row_number() OVER (PARTITION BY owner, portfolio ORDER BY row) AS position "
        "FROM ("
        "SELECT p.owner, p.id AS portfolio, o.rowid AS row FROM portfolios p CROSS JOIN fills o "
        "ON o.portfolio_key = p.key WHERE (p.owner, p.id) >= (?1, ?2) "
        "ORDER BY p.owner, p.id, o.rowid LIMIT max(?3, 0) + ?4)"
        ") place JOIN fills f ON f.rowid = place.row "
        "WHERE (place.owner, place.portfolio, place.position) > (?1, ?2, ?3) "
        "ORDER BY place.owner, place.portfolio, place.position LIMIT ?4"
    ),
    "optimizations": "SELECT " + _RESULT.format(more="", table="optimizations"),
    "reallocations": "SELECT "
    + _RESULT.format(more="superseded_micros AS superseded, superseded_by, fills, ", table="reallocations"),
    "backtests": (
        "SELECT owner, id, request_id, label, caller, state, epoch, fingerprint, cost_estimate, run_micros, attempt, "
        "crashes, fraction, day, wealth, stage, last_event, dropped_event, created_micros AS created, "
        "finished_micros AS finished, inputs, body, request, result, error "
        "FROM backtests b WHERE +b.finished_micros IS NOT NULL AND (owner, id) > (?, ?) ORDER BY owner, id LIMIT ?"
    ),
    "open_backtests": (
        "SELECT owner, id, state FROM backtests b "
        "WHERE +b.finished_micros IS NULL AND (owner, id) > (?, ?) ORDER BY owner, id LIMIT ?"
    ),
    "backtest_inputs": (
        "SELECT fingerprint, symbols, data FROM backtest_inputs WHERE fingerprint > ? ORDER BY fingerprint LIMIT ?"
    ),
    "backtest_input_uses": (
        "SELECT b.owner, b.id, u.fingerprint FROM backtests b CROSS JOIN backtest_input_uses u "
        "ON u.backtest_key = b.key "
        "WHERE +b.finished_micros IS NOT NULL AND (b.owner, b.id) >= (?1, ?2) "
        "AND (b.owner, b.id, u.fingerprint) > (?1, ?2, ?3) ORDER BY b.owner, b.id, u.fingerprint LIMIT ?4"
    ),
    "backtest_events": (
        "SELECT b.owner, b.id, e.number, e.micros AS time, e.kind, e.message, e.day, e.reason, e.stage "
        "FROM backtests b CROSS JOIN backtest_events e ON e.backtest_key = b.key WHERE +b.finished_micros IS NOT NULL "
        "AND (b.owner, b.id) >= (?1, ?2) AND (b.owner, b.id, e.number) > (?1, ?2, ?3) "
        "ORDER BY b.owner, b.id, e.number LIMIT ?4"
    ),
    "backtest_series": (
        "SELECT b.owner, b.id, s.position, s.label, s.data "
        "FROM backtests b CROSS JOIN backtest_series s ON s.backtest_key = b.key WHERE +b.finished_micros IS NOT NULL "
        "AND (b.owner, b.id) >= (?1, ?2) AND (b.owner, b.id, s.position) > (?1, ?2, ?3) "
        "ORDER BY b.owner, b.id, s.position LIMIT ?4"
    ),
    "backtest_parts": (
        "SELECT b.owner, b.id, p.number, p.data "
        "FROM backtests b CROSS JOIN backtest_parts p ON p.backtest_key = b.key WHERE +b.finished_micros IS NOT NULL "
        "AND (b.owner, b.id) >= (?1, ?2) AND (b.owner, b.id, p.number) > (?1, ?2, ?3) "
        "ORDER BY b.owner, b.id, p.number LIMIT ?4"
    ),
    "backtest_decisions": (
        "SELECT b.owner, b.id, d.path, d.day, d.weights, d.reason, d.message "
        "FROM backtests b CROSS JOIN backtest_decisions d ON d.backtest_key = b.key "
        "WHERE +b.finished_micros IS NOT NULL AND (b.owner, b.id) >= (?1, ?2) "
        "AND (b.owner, b.id, d.path, d.day) > (?1, ?2, ?3, ?4) ORDER BY b.owner, b.id, d.path, d.day LIMIT ?5"
    ),
}

_RESULT_COLUMNS = (
    "owner, id, request_id, input_fingerprint, subject, label, created_micros, {more}body, summary, payload"
)
_RESULT_VALUES = (
    ":owner, :id, :request_id, :input_fingerprint, :subject, :label, :created, {more}:body, :summary, :payload"
)


def _result(table: str, columns: str = "", values: str = "") -> tuple[str, ...]:
    named, given = _RESULT_COLUMNS.format(more=columns), _RESULT_VALUES.format(more=values)
    return (f"INSERT INTO {table} ({named}) VALUES ({given}) ON CONFLICT DO NOTHING",)  # noqa: S608


INSERTS: Mapping[str, tuple[str, ...]] = {
    "portfolios": (
        "INSERT INTO portfolios (owner, id, request_id, revision, created_micros, updated_micros, body, payload) "
        "VALUES (:owner, :id, :request_id, :revision, :created, :updated, :body, :payload) ON CONFLICT DO NOTHING",
    ),
    "fills": (
        "INSERT INTO fills (portfolio_key, fill_id, symbol, day, reallocation_id, is_open, content, outcome) "
        "SELECT p.key, :fill_id, :symbol, :day, :reallocation, :is_open, :content, :outcome "
        "FROM portfolios p WHERE p.owner = :owner AND p.id = :portfolio ON CONFLICT DO NOTHING",
        "INSERT INTO disallowed_losses (portfolio_key, fill_id, sold_fill_id) "
        "SELECT p.key, :fill_id, sold.value FROM portfolios p, json_each(:disallows) sold "
        "WHERE p.owner = :owner AND p.id = :portfolio ON CONFLICT DO NOTHING",
    ),
    "optimizations": _result("optimizations"),
    "reallocations": _result(
        "reallocations", "superseded_micros, superseded_by, fills, ", ":superseded, :superseded_by, :fills, "
    ),
    # It waits no more: since when it did is not asked again.
    "backtests": (
        "INSERT INTO backtests (owner, id, request_id, label, caller, state, epoch, fingerprint, cost_estimate, "
        "run_micros, attempt, crashes, fraction, day, wealth, stage, last_event, dropped_event, created_micros, "
        "finished_micros, queued_micros, inputs, body, request, result, error) VALUES (:owner, :id, :request_id, "
        ":label, :caller, :state, :epoch, :fingerprint, :cost_estimate, :run_micros, :attempt, :crashes, :fraction, "
        ":day, :wealth, :stage, :last_event, :dropped_event, :created, :finished, :created, :inputs, :body, :request, "
        ":result, :error) ON CONFLICT DO NOTHING",
    ),
    "backtest_inputs": ("INSERT INTO backtest_inputs VALUES (:fingerprint, :symbols, :data) ON CONFLICT DO NOTHING",),
    "backtest_input_uses": (
        "INSERT INTO backtest_input_uses (backtest_key, fingerprint) SELECT b.key, :fingerprint "
        "FROM backtests b WHERE b.owner = :owner AND b.id = :id ON CONFLICT DO NOTHING",
    ),
    "backtest_events": (
        "INSERT INTO backtest_events (backtest_key, number, micros, kind, day, reason, message, stage) "
        "SELECT b.key, :number, :time, :kind, :day, :reason, :message, :stage "
        "FROM backtests b WHERE b.owner = :owner AND b.id = :id ON CONFLICT DO NOTHING",
    ),
    "backtest_series": (
        "INSERT INTO backtest_series (backtest_key, position, label, data) "
        "SELECT b.key, :position, :label, :data "
        "FROM backtests b WHERE b.owner = :owner AND b.id = :id ON CONFLICT DO NOTHING",
    ),
    "backtest_parts": (
        "INSERT INTO backtest_parts (backtest_key, number, data) SELECT b.key, :number, :data "
        "FROM backtests b WHERE b.owner = :owner AND b.id = :id ON CONFLICT DO NOTHING",
    ),
    "backtest_decisions": (
        "INSERT INTO backtest_decisions (backtest_key, path, day, weights, reason, message) "
        "SELECT b.key, :path, :day, :weights, :reason, :message "
        "FROM backtests b WHERE b.owner = :owner AND b.id = :id ON CONFLICT DO NOTHING",
    ),
}
