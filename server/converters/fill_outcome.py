"""What fills did to taxes, as it is stored: JSON with decimals as text, so that nothing is rounded."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from domain.reallocation.account import GainKey, GainRecord
from domain.reallocation.fills import FillOutcome
from domain.taxes.gains import RealizedGain
from domain.taxes.lots import Term
from domain.taxes.wash_sales import OpenLoss


def outcome_to_bytes(outcome: FillOutcome) -> bytes:
    """The outcome of a fill. That its gains are its own is not repeated in them."""
    stored = {
        "gains": [_gain_to_json(record) for record in outcome.gains],
        "disallows": [[key.fill_id, key.number] for key in outcome.disallows],
        "lotsKnown": outcome.lots_known,
    }
    return json.dumps(stored, separators=(",", ":")).encode()


def outcome_from_bytes(fill_id: str, data: bytes) -> FillOutcome:
    """The same of the fill with this id."""
    stored = json.loads(data)
    return FillOutcome(
        tuple(_gain_from_json(GainKey(fill_id, i), gain) for i, gain in enumerate(stored["gains"])),
        tuple(GainKey(sold, number) for sold, number in stored["disallows"]),
        stored["lotsKnown"],
    )


def _gain_to_json(record: GainRecord) -> dict[str, Any]:
    gain, loss = record.gain, record.open_loss
    return {
        "symbol": gain.symbol,
        "lotId": gain.lot_id,
        "quantity": str(gain.quantity),
        "gain": str(gain.gain),
        "term": gain.term.name,
        "disallowedLoss": str(gain.disallowed_loss),
        "openLoss": None if loss is None else _loss_to_json(loss),
    }


def _loss_to_json(loss: OpenLoss) -> dict[str, Any]:
    return {
        "date": loss.date.isoformat(),
        "quantity": str(loss.quantity),
        "lossPerUnit": str(loss.loss_per_unit),
        "daysHeld": loss.days_held,
    }


def _gain_from_json(key: GainKey, stored: dict[str, Any]) -> GainRecord:
    gain = RealizedGain(
        stored["symbol"],
        stored["lotId"],
        Decimal(stored["quantity"]),
        Decimal(stored["gain"]),
        Term[stored["term"]],
        Decimal(stored["disallowedLoss"]),
    )
    loss = stored["openLoss"]
    return GainRecord(key, gain, None if loss is None else _loss_from_json(loss))


def _loss_from_json(stored: dict[str, Any]) -> OpenLoss:
    return OpenLoss(
        dt.date.fromisoformat(stored["date"]),
        Decimal(stored["quantity"]),
        Decimal(stored["lossPerUnit"]),
        stored["daysHeld"],
    )
