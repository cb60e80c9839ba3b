"""What a request needs of the store: a task requests it, a service collects it, and the task runs again with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from domain.market_data.corporate_actions import CorporateAction
from server.ports.market_data import Instrument, PriceSelection
from server.ports.panels import StoredPanelRef


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
    actions: tuple[PriceSelection, ...] = ()  # corporate actions of the symbols in the range of dates

    def __bool__(self) -> bool:
        """Whether anything is requested."""
        return any((self.portfolios, self.panels, self.volumes, self.groups, self.instruments, self.actions))

    def joined(self, other: "DataRequest") -> "DataRequest":
        """What both need, each once."""
        return DataRequest(
            portfolios=tuple(dict.fromkeys((*self.portfolios, *other.portfolios))),
            panels=tuple(dict.fromkeys((*self.panels, *other.panels))),
            volumes=tuple(dict.fromkeys((*self.volumes, *other.volumes))),
            groups=tuple(dict.fromkeys((*self.groups, *other.groups))),
            instruments=tuple(dict.fromkeys((*self.instruments, *other.instruments))),
            actions=tuple(dict.fromkeys((*self.actions, *other.actions))),
        )


@dataclass(frozen=True, slots=True)
class StoredData:
    """The stored data that was requested. Groups and instruments that are not stored are left out."""

    portfolios: Mapping[str, bytes] = field(default_factory=dict)
    panels: Mapping[PriceSelection, StoredPanelRef] = field(default_factory=dict)
    volumes: Mapping[PriceSelection, StoredPanelRef | None] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    actions: Mapping[PriceSelection, tuple[CorporateAction, ...]] = field(default_factory=dict)
    groups_requested: bool = False
    instruments_requested: bool = False

    def input(self, data: object) -> object:
        """The data of a request: as it was sent, or the file of what is stored."""
        return self.panels[data] if isinstance(data, PriceSelection) else data
