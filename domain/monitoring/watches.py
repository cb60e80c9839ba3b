"""What is known of one portfolio: its holdings and mandate, the lots that will be long-term, its last review."""

from collections.abc import Mapping
from dataclasses import field, replace
from functools import cached_property

from domain.calendar import EPOCH
from domain.monitoring.events import Holdings
from domain.monitoring.records import Records, json_text
from domain.monitoring.rules import MonitoredMandate
from domain.records import dataclass
from domain.taxes.lots import TermRule


@dataclass(frozen=True, slots=True, order=True)
class AgeingLot:
    """A tax lot that is not long-term yet."""

    day: int  # the first one on which a sale is long-term
    symbol: str
    lot_id: str
    quantity: float  # units, for the message


@dataclass(frozen=True)
class Watch:
    """One portfolio; without holdings it is deleted, or its mandate was told first."""

    holdings: Holdings | None = None
    holdings_revision: int = -1
    mandate: MonitoredMandate = field(default_factory=MonitoredMandate)
    mandate_revision: int = -1
    lots: tuple[AgeingLot, ...] = ()  # by date
    reviewed_day: int = 0  # the last date up to which reviews were told

    @cached_property
    def text(self) -> str:
        """Its record as JSON, made once: few of the portfolios of a state change from one writing to the next."""
        return json_text(Records([]).written(self))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Held and wanted, in order."""
        held = self.holdings.portfolio.quantities if self.holdings is not None else {}
        wanted = self.mandate.target or {}
        return tuple(sorted({*(s for s, units in held.items() if units), *(s for s, w in wanted.items() if w)}))

    def with_holdings(self, holdings: Holdings | None, revision: int, today: int) -> "Watch":
        """With new holdings, whose lots age from now on."""
        return replace(self, holdings=holdings, holdings_revision=revision).with_lots(today)

    def with_mandate(self, mandate: MonitoredMandate, revision: int, today: int) -> "Watch":
        """With a new mandate, whose reviews count from today."""
        changed = replace(self, mandate=mandate, mandate_revision=revision)
        if mandate.rules.reviews != self.mandate.rules.reviews or self.mandate_revision < 0:
            changed = replace(changed, reviewed_day=today)
        return changed.with_lots(today)

    def with_lots(self, today: int) -> "Watch":
        """With the lots that will be long-term after today; those that are already are no news."""
        rule = self.mandate.rules.long_term
        if self.holdings is None or rule is None:
            return replace(self, lots=())
        return replace(self, lots=tuple(sorted(lot for lot in _ageing(self.holdings, rule) if lot.day > today)))


def _ageing(holdings: Holdings, rule: TermRule) -> list[AgeingLot]:
    return [
        AgeingLot((rule.first_long_term_date(lot) - EPOCH).days, symbol, lot.lot_id, float(lot.quantity))
        for symbol, lots in holdings.lots.items()
        for lot in lots
    ]


Watches = Mapping[str, Watch]
"""By the name of the portfolio."""
