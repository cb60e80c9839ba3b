"""OptimizeBatch: what all accounts share is estimated once; accounts are solved in small lots."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest

from domain.errors import DomainError, InvalidInput
from domain.market_data.moments import Moments
from domain.optimization.problem.market_model import MarketModel, market_model_of
from domain.optimization.problem.resolve import resolve
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve
from domain.records import dataclass
from domain.warnings import ResultWarning
from server.commands.optimization import Answer, BatchAccount, BatchCommand, PricedAnswer
from server.commands.stored import DataRequest, StoredData
from server.converters.batch_paths import located_in_batch, universe_without_data
from server.converters.message import InvalidRequest, message_from_bytes
from server.converters.optimization import (
    answer_to_proto,
    batch_account_from_proto,
    batch_command_from_proto,
    batch_error_to_bytes,
    batch_result_to_bytes,
)
from server.converters.warning import warnings_to_proto
from server.execution.control import Control
from server.ports.errors import Refused
from server.ports.market_data import PriceSelection
from server.storage.scratch import read_value, write_value
from server.tasks.batch_accounts import Refusal, account_message, go_on
from server.tasks.optimize import cost_of, limit_time, opened, selections, with_stored_groups
from server.tasks.refusing import locating, refusing
from server.tasks.stored_market import currency_warnings, instruments_needed, instruments_of


@dataclass(frozen=True, slots=True)
class Shared:
    """What all accounts of a batch share, ready to be solved with."""

    command: BatchCommand
    market_model: MarketModel
    body: bytes  # hash of the message
    warnings: tuple[ResultWarning, ...]  # about the data, the same for every account
    outline: bytes  # the universe without its data, for paths of errors


@refusing
@locating(OptimizeBatchRequest)
def share(request: bytes, file: Path, found: StoredData | None, control: Control) -> DataRequest | None:
    """Writes what all accounts share to a file, or says what is needed first."""
    message = message_from_bytes(OptimizeBatchRequest, request)
    if not message.HasField("universe"):
        raise InvalidInput("universe", "must be the first message of a batch")
    command = batch_command_from_proto(message.universe)
    needed = DataRequest(panels=selections(command.data), instruments=instruments_of(command.data))
    if found is None and needed:
        return needed
    found = found or StoredData()
    if needed := instruments_needed(command.data, found):
        return needed
    data = opened(found.input(command.data))
    control()
    market_model = market_model_of(command.specification, data, control)
    body = hashlib.sha256(message.universe.SerializeToString(deterministic=True)).digest()
    warnings = currency_warnings(command.data, found, command.specification.estimation.factors)
    if not isinstance(command.data, Moments):
        command = replace(command, data=PriceSelection())  # the universe has what accounts need of it
    write_value(file, Shared(command, market_model, body, warnings, universe_without_data(message.universe)))
    return None


@refusing
def accounts(
    file: Path,
    requests: Sequence[bytes],
    found: StoredData | None,
    control: Control,
    report: Callable[[bytes], None],
) -> DataRequest | None:
    """Reports the outcome of each account, in order; or says which stored groups are needed first."""
    own: Shared = read_value(file)
    read = [_account(request, own) for request in requests]
    if found is None and (missing := _missing_groups(read)):
        return DataRequest(groups=missing)
    for request, account in zip(requests, read, strict=True):
        control()
        report(_outcome(own, request, account, found or StoredData(), control))
    return None


@refusing
def failed(file: Path, request: bytes, error: Exception, control: Control) -> bytes:
    """The outcome of an account whose task had to be ended."""
    own: Shared = read_value(file)
    return batch_error_to_bytes(_account(request, own).key, error)


def _account(request: bytes, own: Shared) -> BatchAccount:
    message = account_message(OptimizeBatchRequest, request, "universe")
    if isinstance(message, Refusal):
        return BatchAccount(message.key, message.error, "")
    return batch_account_from_proto(message.account, own.command, own.body)


def _missing_groups(read: Sequence[BatchAccount]) -> tuple[str, ...]:
    named = [one.specification.missing_groups() for one in read if isinstance(one.specification, Specification)]
    return tuple(sorted({group for groups in named for group in groups}))


def _outcome(own: Shared, request: bytes, account: BatchAccount, found: StoredData, control: Control) -> bytes:
    """What goes wrong with one account is its outcome."""
    if isinstance(account.specification, Exception):
        return batch_error_to_bytes(account.key, account.specification)
    try:
        return _result(own, account, account.specification, found, control)
    except InvalidInput as error:
        go_on(control)
        return batch_error_to_bytes(account.key, located_in_batch(error, request, account.origins, own.outline))
    except (DomainError, InvalidRequest, Refused) as error:
        go_on(control)
        return batch_error_to_bytes(account.key, error)


def _result(
    own: Shared, account: BatchAccount, specification: Specification, found: StoredData, control: Control
) -> bytes:
    specification = with_stored_groups(specification, found)
    limit_time(specification, control)
    start = time.perf_counter()
    problem = resolve(specification, own.market_model, control)
    solution = solve(problem, control)
    answer = Answer(problem, solution, time.perf_counter() - start)
    message = answer_to_proto(PricedAnswer(answer, cost_of(specification, answer), own.command.expected_returns_given))
    message.warnings.extend(warnings_to_proto(own.warnings))
    return batch_result_to_bytes(account.key, message, account.fingerprint)
