"""ReallocateBatch: accounts are planned in small lots, each as Reallocate would plan it alone."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from absfinance.v1.reallocation_service_pb2 import ReallocateBatchRequest

from domain.errors import DomainError, InvalidInput
from domain.reallocation.batch_account import NO_CONSENT, Consent
from domain.records import dataclass
from server.commands.stored import DataRequest, RequestKey, StoredData
from server.converters.message import InvalidRequest, message_from_bytes
from server.converters.portfolios import id_of
from server.converters.reallocation_batch import (
    consent_from_proto,
    not_reallocated_to_bytes,
    reallocated_to_bytes,
    request_of_account,
    shared_terms_from_proto,
)
from server.execution.control import Control
from server.ports.errors import NotFound, Refused
from server.ports.results import ResultDraft
from server.storage.scratch import read_value, write_value
from server.tasks.batch_accounts import Refusal, account_message, go_on
from server.tasks.batch_accounts import key_of as key_of_account
from server.tasks.reallocate import needed_of, reallocation
from server.tasks.refusing import locating, refusing

ERRORS = (DomainError, InvalidRequest, Refused, NotFound)
"""What is wrong with one account alone."""


@dataclass(frozen=True, slots=True)
class BatchPortfolio:
    """An account of a batch: its request, or what is wrong with it."""

    key: str
    request: bytes
    portfolio: str = ""  # id of a stored one
    consent: Consent = NO_CONSENT
    is_complete: bool = False  # nothing stored is needed to plan it
    error: Exception | None = None


@refusing
@locating(ReallocateBatchRequest)
def share(request: bytes, file: Path, found: StoredData | None, control: Control) -> bool:
    """Writes to a file what all accounts share, and today, the date of all plans where none is given.

    Returns whether accounts depend on each other.
    """
    message = message_from_bytes(ReallocateBatchRequest, request)
    if not message.HasField("shared"):
        raise InvalidInput("shared", "must be the first message of a batch")
    terms = shared_terms_from_proto(message.shared)
    write_value(file, (request, datetime.now(UTC).date()))
    return terms is not None


@refusing
def accounts(
    file: Path,
    requests: Sequence[bytes],
    found: StoredData | None,
    control: Control,
    report: Callable[[bytes], None],
) -> DataRequest | None:
    """Reports the outcome of each account, in order; or says which stored data is needed first."""
    shared, today = shared_of(file)
    read = [account_of(request, shared) for request in requests]
    if needed := needed_by(read, found, control):
        return needed
    for account in read:
        control()
        report(_outcome(account, today, found, control))
    return None


@refusing
def failed(file: Path, request: bytes, error: Exception, control: Control) -> bytes:
    """The outcome of an account whose task had to be ended."""
    return not_reallocated_to_bytes(key_of(request), error)


def shared_of(file: Path) -> tuple[ReallocateBatchRequest.Shared, date]:
    """What `share` wrote."""
    content, today = read_value(file)
    return ReallocateBatchRequest.FromString(content).shared, today


def needed_by(accounts: Sequence[BatchPortfolio], found: StoredData | None, control: Control) -> DataRequest:
    """Stored data that is needed before accounts can be planned."""
    needed = DataRequest()
    for account in accounts:
        control()
        if account.error is None and not account.is_complete and not _is_missing(account, found):
            needed = needed.joined(_needed(account, found))
    return needed


def account_of(request: bytes, shared: ReallocateBatchRequest.Shared) -> BatchPortfolio:
    """An account; what is wrong with it is its outcome."""
    message = account_message(ReallocateBatchRequest, request, "shared")
    if isinstance(message, Refusal):
        return BatchPortfolio(message.key, b"", error=message.error)
    key = message.account.key
    try:
        consent = consent_from_proto(shared, message.account, shared_terms_from_proto(shared))
    except InvalidInput as error:
        return BatchPortfolio(key, b"", error=error)
    own = request_of_account(shared, message.account)
    is_complete = own.HasField("portfolio") and own.HasField("snapshot") and own.HasField("target_weights")
    return BatchPortfolio(key, own.SerializeToString(), id_of(own.portfolio_name), consent, is_complete)


def key_of(request: bytes) -> str:
    """The key of an account whose task had to be ended."""
    return key_of_account(ReallocateBatchRequest, request)


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
        raise_error_of(account, found)
        answer = reallocation(account.request, today, found or StoredData(), control, _no_key)
    except ERRORS as error:
        go_on(control)
        return not_reallocated_to_bytes(account.key, error)
    if isinstance(answer, DataRequest):
        raise RuntimeError("an account asks for more than it was found to need")
    return reallocated_to_bytes(account.key, answer.payload if isinstance(answer, ResultDraft) else answer)


def raise_error_of(account: BatchPortfolio, found: StoredData | None) -> None:
    """Raises what is wrong with an account before it is planned."""
    if account.error is not None:
        raise account.error
    if _is_missing(account, found):
        raise NotFound("portfolio", f"portfolios/{account.portfolio}")


def _no_key(key: RequestKey) -> None:
    """Accounts of a batch have no request id."""
