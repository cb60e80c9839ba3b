"""Calls whose request and answers are messages of the contract as they stand."""

from dataclasses import dataclass
from typing import Any

from absfin.queries.base import Rpc, StreamQuery, UnaryQuery


@dataclass(frozen=True, kw_only=True)
class MessageCall(UnaryQuery[Any]):
    """A call with one answer."""

    RPC: Rpc  # type: ignore[misc]  # of each call its own
    message: Any

    def request(self) -> Any:
        """The message."""
        return self.message

    def answer(self, response: Any) -> Any:
        """The response itself."""
        return response


@dataclass(frozen=True, kw_only=True)
class MessageStream(StreamQuery[Any]):
    """A call with many answers, or with parts of one."""

    RPC: Rpc  # type: ignore[misc]  # of each call its own
    message: Any

    def request(self) -> Any:
        """The message."""
        return self.message

    def answer(self, response: Any) -> Any:
        """One response itself."""
        return response
