"""Optimize: the command of a request, its problem, the solution, the answer."""

import hashlib
import time

from absfinance.v1.optimization_service_pb2 import OptimizeRequest

from domain.market_data.source import MarketInput
from domain.optimization.feasibility import is_feasible
from domain.optimization.infeasibility import conflict
from domain.optimization.problem.bound_warnings import bound_warnings
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.resolve import build_problem, estimation_diagnostics, trading_costs
from domain.optimization.request.solver_options import EnginePreference
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve
from domain.warnings import ResultWarning
from server.commands.optimization import Answer, OptimizeCommand, PricedAnswer
from server.commands.stored import DataRequest, ReportKey, RequestKey, StoredData
from server.converters.message import message_from_bytes
from server.converters.optimization import (
    answer_to_proto,
    checked_to_bytes,
    optimize_command_from_proto,
    summary_to_bytes,
)
from server.converters.warning import warnings_to_proto
from server.execution.control import Control
from server.ports.market_data import PriceSelection
from server.ports.panels import StoredPanelRef
from server.ports.results import ResultDraft
from server.tasks.refusing import locating, refusing
from server.tasks.stored_market import currency_warnings, instruments_needed, instruments_of


@refusing
@locating(OptimizeRequest)
def optimize(
    request: bytes, found: StoredData | None, control: Control, report: ReportKey
) -> DataRequest | ResultDraft | bytes:
    """The answer to store; only its bytes where the request asks to check it; or what is needed first."""
    return optimize_message(message_from_bytes(OptimizeRequest, request), found, control, report)


def optimize_message(
    request: OptimizeRequest, found: StoredData | None, control: Control, report: ReportKey
) -> DataRequest | ResultDraft | bytes:
    """As `optimize`, of a request that keeps the contract's rules; its errors are not written down yet."""
    command = optimize_command_from_proto(request)
    if found is None:
        if command.request_id:
            report(RequestKey(command.request_id, command.body))
        if needed := _data_request(command):
            return needed
    found = found or StoredData()
    if needed := instruments_needed(command.data, found):
        return needed
    data = found.input(command.data)
    specification = with_stored_groups(command.specification, found)
    currencies = currency_warnings(command.data, found, specification.estimation.factors)
    if command.validate_only:
        return checked_to_bytes((*_check(command, specification, opened(data), control), *currencies))
    limit_time(specification, control)
    answer = _answer(specification, opened(data), control, diagnose=command.diagnose_estimation)
    message = answer_to_proto(PricedAnswer(answer, cost_of(specification, answer), command.expected_returns_given))
    message.warnings.extend(warnings_to_proto(currencies))
    version = data.fingerprint if isinstance(data, StoredPanelRef) else ""
    fingerprint = hashlib.sha256(command.content + version.encode()).hexdigest()
    return ResultDraft(
        message.SerializeToString(),
        fingerprint,
        command.body,
        command.request_id,
        id=command.id,
        label=command.label,
        summary=summary_to_bytes(message),
    )


def opened(data: object) -> MarketInput:
    """Data in memory, or over the mapped file of what is stored."""
    known: MarketInput = data.prices() if isinstance(data, StoredPanelRef) else data  # type: ignore[assignment]  # the rest of StoredData.input
    return known


def with_stored_groups(specification: Specification, found: StoredData) -> Specification:
    """A specification with the stored groups that it names."""
    return specification.with_groups(found.groups) if specification.missing_groups() else specification


def limit_time(specification: Specification, control: Control) -> None:
    """Starts the time limit of a request, after the libraries that it needs are loaded."""
    if specification.options.engine is EnginePreference.RISKFOLIO:
        control.load("riskfolio")  # takes seconds, the first time
    control.limit(specification.options.time_limit_seconds)


def cost_of(specification: Specification, answer: Answer) -> float | None:
    """Trading cost from the current weights, even where the objective leaves it out."""
    problem = answer.problem
    if problem.current_weights is None:
        return None
    costs = trading_costs(specification, problem) if problem.costs is None else problem.costs
    return None if costs is None else costs.of(answer.solution.weights)


def selections(data: object) -> tuple[PriceSelection, ...]:
    """The stored prices that data names, if it names any."""
    return (data,) if isinstance(data, PriceSelection) else ()


def _data_request(command: OptimizeCommand) -> DataRequest:
    return DataRequest(
        panels=selections(command.data),
        groups=tuple(command.specification.missing_groups()),
        instruments=instruments_of(command.data),
    )


def _check(
    command: OptimizeCommand, specification: Specification, data: MarketInput, control: Control
) -> tuple[ResultWarning, ...]:
    """Validates the problem and, with `check_feasibility`, that some weights keep all limits; returns its warnings."""
    limit_time(specification, control)
    problem = build_problem(specification, data, control)
    if command.check_feasibility:
        control()
        limits = feasible_set(problem)
        if not is_feasible(limits, check_cancelled=control):
            raise conflict(limits, control)
    return bound_warnings(problem)


def _answer(specification: Specification, data: MarketInput, control: Control, *, diagnose: bool) -> Answer:
    problem = build_problem(specification, data, control)
    start = time.perf_counter()
    solution = solve(problem, control)
    seconds = time.perf_counter() - start
    quality = estimation_diagnostics(specification, data, problem, control) if diagnose else None
    return Answer(problem, solution, seconds, quality)
