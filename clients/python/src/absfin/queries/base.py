"""The four kinds of calls, by what the server answers: one message, a stream, parts of a whole, or pages.

A query is a frozen dataclass: its fields are the parameters of the call, `request` builds the message to send, and
`answer` converts what comes back. It neither connects nor waits, so both clients share it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class Rpc(NamedTuple):
    """A method of the contract."""

    stub: type[Any]  # the generated stub of its service
    method: str


@dataclass(frozen=True, kw_only=True)
class Query(ABC):
    """A call of the server as a value."""

    RPC: ClassVar[Rpc]

    timeout: float | None = None  # seconds; that of the client if None

    def time_limit(self, default: float) -> float:
        """Seconds that the call may take, where the client allows `default`."""
        return default if self.timeout is None else self.timeout


@dataclass(frozen=True, kw_only=True)
class UnaryQuery(Query, Generic[A]):
    """A call with one answer."""

    @abstractmethod
    def request(self) -> Any:
        """The message to send, or an iterator of them where the method takes a stream."""

    @abstractmethod
    def answer(self, response: Any) -> A:
        """The response, converted."""


@dataclass(frozen=True, kw_only=True)
class StreamQuery(Query, Generic[A]):
    """A call with many answers, each complete by itself."""

    @abstractmethod
    def request(self) -> Any:
        """The message to send, or an iterator of them where the method takes a stream."""

    @abstractmethod
    def answer(self, response: Any) -> A:
        """One response, converted."""


class Assembler(Protocol[A_co]):
    """Joins the parts of an answer."""

    def add(self, part: Any) -> None:
        """Takes the next part."""

    def result(self) -> A_co:
        """The whole answer."""


@dataclass(frozen=True, kw_only=True)
class AssembledQuery(Query, Generic[A]):
    """A call with one answer that arrives in parts."""

    @abstractmethod
    def request(self) -> Any:
        """The message to send."""

    @abstractmethod
    def assembler(self) -> Assembler[A]:
        """A new assembler for the parts."""


@dataclass(frozen=True, kw_only=True)
class PagedQuery(Query, Generic[A]):
    """A list of which each page is a call."""

    @abstractmethod
    def request(self, page_token: str) -> Any:
        """The message that requests a page; the token of the first page is empty."""

    @abstractmethod
    def items(self, response: Any) -> Iterable[A]:
        """The items of a page, converted."""
