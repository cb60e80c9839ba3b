"""What a request needs from the store: a task asks for it, a service collects it, and the task starts again with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

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
class Wanted:
    """What a task must be given before it can go on."""

    portfolios: tuple[str, ...] = ()  # ids
    panels: tuple[PriceSelection, ...] = ()
    volumes: tuple[PriceSelection, ...] = ()  # of those symbols that have volumes, if any
    groups: tuple[str, ...] = ()  # written as "kind=name"
    instruments: tuple[str, ...] = ()  # symbols

    def __bool__(self) -> bool:
        """Whether it is anything at all."""
        return any((self.portfolios, self.panels, self.volumes, self.groups, self.instruments))


@dataclass(frozen=True, slots=True)
class Found:
    """What the store had of it. Groups and instruments that are not stored are left out, but were asked for."""

    portfolios: Mapping[str, bytes] = field(default_factory=dict)
    panels: Mapping[PriceSelection, StoredPanelRef] = field(default_factory=dict)
    volumes: Mapping[PriceSelection, StoredPanelRef | None] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    asked_groups: bool = False
    asked_instruments: bool = False

    def input(self, data: object) -> object:
        """The data of a request: as it was sent, or the file of what is stored."""
        return self.panels[data] if isinstance(data, PriceSelection) else data
