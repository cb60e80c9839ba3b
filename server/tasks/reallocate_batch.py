"""ReallocateBatch: accounts are planned in small lots, each as Reallocate would plan it alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from absfinance.v1.reallocation_service_pb2 import ReallocateBatchRequest
from google.protobuf.message import DecodeError

from domain.errors import DomainError, InvalidInput, NotSupported
from server.commands.stored import DataRequest, RequestKey, StoredData
from server.converters.message import InvalidRequest, message_from_bytes
from server.converters.portfolios import id_of
from server.converters.reallocation_batch import (
    not_reallocated_to_bytes,
    reallocated_to_bytes,
    request_of_account,
    require_no_shared_volume,
)
from server.execution.control import Control
from server.ports.errors import NotFound, Refused
from server.ports.results import ResultDraft
from server.storage.scratch import read_value, write_value
from server.tasks.reallocate import needed_of, reallocation
from server.tasks.refusing import locating, refusing

MAX_KEY_LENGTH = 128
"""As the contract has it: a longer key is not sent back."""


@dataclass(frozen=True, slots=True)
class BatchPortfolio:
    """An account of a batch: its request, or what is wrong with it."""

    key: str
    request: bytes
    portfolio: str = ""  # id of a stored one
    error: Exception | None = None


@refusing
@locating(ReallocateBatchRequest)
def share(request: bytes, file: Path, found: StoredData | None, control: Control) -> DataRequest | None:
    """Writes to a file what all accounts share, and today, the date of all plans where none is given."""
    message = message_from_bytes(ReallocateBatchRequest, request)
    if not message.HasField("shared"):
        raise InvalidInput("shared", "must be the first message of a batch")
    require_no_shared_volume(message.shared)
    write_value(file, (request, datetime.now(UTC).date()))
    return None


@refusing
def accounts(
    file: Path,
    requests: Sequence[bytes],
    found: StoredData | None,
    control: Control,
    report: Callable[[bytes], None],
) -> DataRequest | None:
    """Reports the outcome of each account, in order; or says which stored data is needed first."""
    content, today = read_value(file)
    shared = ReallocateBatchRequest.FromString(content).shared
    read = [_account(request, shared) for request in requests]
    needed = DataRequest()
    for account in read:
        control()
        if account.error is None and not _is_missing(account, found):
            needed = needed.joined(_needed(account, found))
    if needed:
        return needed
    for account in read:
        control()
        report(_outcome(account, today, found, control))
    return None


@refusing
def failed(file: Path, request: bytes, error: Exception, control: Control) -> bytes:
    """The outcome of an account whose task had to be ended."""
    return not_reallocated_to_bytes(_key(request), error)


def _account(request: bytes, shared: ReallocateBatchRequest.Shared) -> BatchPortfolio:
    """An account; what is wrong with it is its outcome, as long as it has a key to be told apart by."""
    try:
        message = message_from_bytes(ReallocateBatchRequest, request)
    except (InvalidRequest, NotSupported) as error:
        key = _key(request)
        if not key:
            raise
        return BatchPortfolio(key, b"", error=error)
    if message.HasField("shared"):
        raise InvalidInput("shared", "must be sent once, as the first message")
    own = request_of_account(shared, message.account)
    return BatchPortfolio(message.account.key, own.SerializeToString(), id_of(own.portfolio_name))


def _key(request: bytes) -> str:
    """The key of an account that breaks a rule; empty where there is none that can be sent back."""
    try:
        message = ReallocateBatchRequest.FromString(request)
    except DecodeError:
        return ""
    key: str = message.account.key
    return "" if len(key) > MAX_KEY_LENGTH else key


def _is_missing(account: BatchPortfolio, found: StoredData | None) -> bool:
    return found is not None and bool(account.portfolio) and account.portfolio not in found.portfolios


def _needed(account: BatchPortfolio, found: StoredData | None) -> DataRequest:
    """What is wrong with an account is its outcome later on."""
    try:
        return needed_of(account.request, found)
    except (DomainError, InvalidRequest):
        return DataRequest()


def _outcome(account: BatchPortfolio, today: date, found: StoredData | None, control: Control) -> bytes:
    """What goes wrong with one account is its outcome."""
    try:
        if account.error is not None:
            raise account.error
        if _is_missing(account, found):
            raise NotFound("portfolio", f"portfolios/{account.portfolio}")
        answer = reallocation(account.request, today, found or StoredData(), control, _no_key)
    except (DomainError, InvalidRequest, Refused, NotFound) as error:
        control.unlimited()
        control()  # whoever asked may have left, or the whole batch may be out of time
        return not_reallocated_to_bytes(account.key, error)
    if isinstance(answer, DataRequest):
        raise RuntimeError("an account asks for more than it was found to need")
    return reallocated_to_bytes(account.key, answer.payload if isinstance(answer, ResultDraft) else answer)


def _no_key(key: RequestKey) -> None:
    """Accounts of a batch have no request id."""
