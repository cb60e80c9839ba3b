"""What a request needs of the store: a task requests it, a service collects it, and the task runs again with it."""

from collections.abc import Callable, Mapping
from dataclasses import field

from domain.market_data.corporate_actions import CorporateAction
from domain.reallocation.target import TargetWeights
from domain.records import dataclass
from server.ports.changes import Quote as PublishedQuote
from server.ports.market_data import Instrument, PriceField, PriceSelection
from server.ports.panels import StoredPanelRef
from server.ports.remote import RemoteCall
from server.ports.used_data import ACTIONS, UsedData, UsedRange


@dataclass(frozen=True, slots=True)
class RequestKey:
    """The caller's id of a request, and the hash of its content without that id."""

    request_id: str
    body: bytes


ReportKey = Callable[[RequestKey], None]
"""How a task tells the key of its request, to have an answer looked up that was given before."""


@dataclass(frozen=True, slots=True)
class DataRequest:
    """Stored data that a task needs before it can go on."""

    portfolios: tuple[str, ...] = ()  # ids
    panels: tuple[PriceSelection, ...] = ()
    volumes: tuple[PriceSelection, ...] = ()  # of those symbols that have volumes, if any
    groups: tuple[str, ...] = ()  # written as "kind=name"
    instruments: tuple[str, ...] = ()  # symbols
    quotes: tuple[str, ...] = ()  # symbols
    actions: tuple[PriceSelection, ...] = ()  # corporate actions of the symbols in the range of dates
    highs_and_lows: tuple[PriceSelection, ...] = ()  # of those symbols that have any
    calls: tuple[RemoteCall, ...] = ()  # of services outside, whose answers are needed; at most one of each service
    target: TargetWeights | None = None  # found so far, and handed back so that it is not computed again

    def __bool__(self) -> bool:
        """Whether anything is requested."""
        stored = (self.portfolios, self.panels, self.volumes, self.groups, self.instruments, self.actions)
        return any((*stored, self.quotes, self.highs_and_lows, self.calls))

    @property
    def reads_prices(self) -> bool:
        """Whether prices or corporate actions are requested."""
        return any((self.panels, self.volumes, self.actions, self.highs_and_lows))

    def joined(self, other: "DataRequest") -> "DataRequest":
        """What both need of the store, each once."""
        return DataRequest(
            portfolios=tuple(dict.fromkeys((*self.portfolios, *other.portfolios))),
            panels=tuple(dict.fromkeys((*self.panels, *other.panels))),
            volumes=tuple(dict.fromkeys((*self.volumes, *other.volumes))),
            groups=tuple(dict.fromkeys((*self.groups, *other.groups))),
            instruments=tuple(dict.fromkeys((*self.instruments, *other.instruments))),
            quotes=tuple(dict.fromkeys((*self.quotes, *other.quotes))),
            actions=tuple(dict.fromkeys((*self.actions, *other.actions))),
            highs_and_lows=tuple(dict.fromkeys((*self.highs_and_lows, *other.highs_and_lows))),
        )


@dataclass(frozen=True, slots=True)
class StoredData:
    """The data that was requested. Groups, instruments and quotes that are not stored are left out."""

    portfolios: Mapping[str, bytes] = field(default_factory=dict)
    panels: Mapping[PriceSelection, StoredPanelRef] = field(default_factory=dict)
    volumes: Mapping[PriceSelection, StoredPanelRef | None] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    quotes: Mapping[str, PublishedQuote] = field(default_factory=dict)  # the latest one of each symbol that has any
    actions: Mapping[PriceSelection, tuple[CorporateAction, ...]] = field(default_factory=dict)
    highs_and_lows: Mapping[PriceSelection, tuple[StoredPanelRef | None, StoredPanelRef | None]] = field(
        default_factory=dict
    )
    answers: Mapping[str, bytes] = field(default_factory=dict)  # of services outside, by service
    target: TargetWeights | None = None
    groups_requested: bool = False
    instruments_requested: bool = False
    last_correction: int | None = None  # when reading began; None where no prices were read

    def input(self, data: object) -> object:
        """The data of a request: as it was sent, or the file of what is stored."""
        return self.panels[data] if isinstance(data, PriceSelection) else data

    @property
    def used(self) -> UsedData | None:
        """What a result of this data was computed from; None where nothing stored can be corrected."""
        if self.last_correction is None:
            return None
        read: list[tuple[PriceSelection, StoredPanelRef | None, str]] = [
            *((selection, panel, selection.field) for selection, panel in self.panels.items()),
            *((selection, panel, PriceField.VOLUME) for selection, panel in self.volumes.items()),
            *((selection, high, PriceField.HIGH) for selection, (high, _) in self.highs_and_lows.items()),
            *((selection, low, PriceField.LOW) for selection, (_, low) in self.highs_and_lows.items()),
            *((selection, self.panels.get(selection), ACTIONS) for selection in self.actions),
        ]
        ranges = tuple(_range_of(selection, panel, name) for selection, panel, name in read if panel is not None)
        return UsedData(self.last_correction, ranges)


def _range_of(selection: PriceSelection, panel: StoredPanelRef, field: str) -> UsedRange:
    """From the start that was asked for, since dates may come in before the first one there is, to the last date."""
    first, last = int(panel.dates[0]), int(panel.dates[-1])
    return UsedRange(field, panel.symbols, first if selection.start is None else min(first, selection.start), last)
