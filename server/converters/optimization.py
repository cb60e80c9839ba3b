"""Optimisation requests as commands, verified weights as messages, stored results as they are shown."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from absfinance.v1 import optimization_pb2
from absfinance.v1.optimization_pb2 import Optimization as OptimizationProto
from absfinance.v1.optimization_service_pb2 import (
    ListOptimizationsResponse,
    OptimizeBatchRequest,
    OptimizeBatchResponse,
    OptimizeRequest,
    TraceFrontierRequest,
    TraceFrontierResponse,
)
from google.rpc.status_pb2 import Status

from domain.errors import DomainError, InvalidInput, NotSupported
from domain.estimation.diagnostics import EstimationDiagnostics
from domain.market_data.moments import Moments
from domain.optimization.request.constraints import Constraint
from domain.optimization.request.specification import ConstraintBySymbol, Specification
from domain.optimization.solution import BoundSide, Certificate, Engine
from domain.risk.contribution import RiskContributions
from domain.warnings import ResultWarning
from server.commands.optimization import (
    BatchAccount,
    BatchCommand,
    OptimizeCommand,
    PricedAnswer,
    TraceCommand,
    Traced,
)
from server.converters.constraint import constraint_from_proto
from server.converters.identity import identity_of
from server.converters.located import located
from server.converters.market_input import market_input_from_proto
from server.converters.objective import objective_from_proto
from server.converters.paths import error_path
from server.converters.specification import specification_from_proto
from server.converters.status import status_from_error
from server.converters.warning import warnings_to_proto
from server.converters.weights import weights_from_proto
from server.ports.errors import Refused
from server.ports.market_data import PriceSelection
from server.ports.results import ResultPage, StoredResult

NAME = "optimizations/"

_ENGINES = {
    Engine.FAST: optimization_pb2.ENGINE_FAST,
    Engine.RISKFOLIO: optimization_pb2.ENGINE_RISKFOLIO,
    Engine.CLOSED_FORM: optimization_pb2.ENGINE_CLOSED_FORM,
}
_SIDES = {BoundSide.LOWER: optimization_pb2.BOUND_SIDE_LOWER, BoundSide.UPPER: optimization_pb2.BOUND_SIDE_UPPER}


def optimize_command_from_proto(request: OptimizeRequest) -> OptimizeCommand:
    """The command of a request. Raises InvalidInput or NotSupported."""
    periods = request.periods_per_year if request.HasField("periods_per_year") else None
    data, periods = market_input_from_proto(request, periods)
    expected_returns_given = (
        request.WhichOneof("input") != "moments"
        or len(request.moments.expected_returns) > 0
        or request.estimation.views.HasField("prior")
    )
    specification = specification_from_proto(request, periods_per_year=periods)
    if not expected_returns_given and specification.needs_expected_returns:
        raise InvalidInput("moments.expected_returns", "must be given: the objective or a constraint asks for a return")
    identity = identity_of(request, "optimization_id")
    return OptimizeCommand(
        data=data,
        specification=specification,
        expected_returns_given=expected_returns_given,
        content=identity.content,
        body=identity.body,
        id=request.optimization_id or None,
        label=request.label,
        request_id=request.request_id or None,
        validate_only=request.validate_only,
        check_feasibility=request.check_feasibility,
        diagnose_estimation=request.diagnose_estimation,
    )


def trace_command_from_proto(request: TraceFrontierRequest) -> TraceCommand:
    """The command of a request. Raises InvalidInput or NotSupported."""
    periods = request.periods_per_year if request.HasField("periods_per_year") else None
    data, periods = market_input_from_proto(request, periods)
    if request.WhichOneof("input") == "moments" and not request.moments.expected_returns:
        raise InvalidInput("moments.expected_returns", "must be given: a frontier runs from the highest return down")
    problem = OptimizeRequest(
        objective={"min_risk": {}},
        risk_measure=request.risk_measure,
        confidence_level=request.confidence_level if request.HasField("confidence_level") else None,
        estimation=request.estimation,
        constraints=request.constraints,
        groups=request.groups,
        missing_data=request.missing_data,
        current_weights=request.current_weights,
    )
    return TraceCommand(data, specification_from_proto(problem, periods_per_year=periods), request.points)


def traced_to_proto(traced: Traced) -> TraceFrontierResponse:
    """One portfolio of a frontier."""
    solution = traced.solution
    response = TraceFrontierResponse(
        index=traced.index,
        expected_return_annual=solution.expected_return_annual,
        volatility_annual=solution.volatility_annual,
        risk=solution.risk,
        certificate=_certificate(solution.certificate, traced.solve_seconds),
        warnings=warnings_to_proto(traced.warnings),
    )
    add_weights(response.weights, solution.symbols, solution.weights.tolist())
    return response


def batch_command_from_proto(universe: OptimizeBatchRequest.Universe) -> BatchCommand:
    """What all accounts share. Raises InvalidInput or NotSupported."""
    if universe.spec.HasField("lookback_periods"):
        raise NotSupported("universe.spec.lookback_periods is not supported in a batch yet")
    periods = universe.periods_per_year if universe.HasField("periods_per_year") else None
    with error_path("universe"):
        data, periods = market_input_from_proto(universe, periods)
        with error_path("spec"):
            specification = specification_from_proto(universe.spec, periods_per_year=periods)
    if isinstance(data, PriceSelection):
        data = data.under("universe")
    expected_returns_given = universe.WhichOneof("input") != "moments" or len(universe.moments.expected_returns) > 0
    return BatchCommand(data, specification, expected_returns_given or universe.spec.estimation.views.HasField("prior"))


def batch_account_from_proto(account: OptimizeBatchRequest.Account, shared: BatchCommand, body: bytes) -> BatchAccount:
    """An account with what it shares; a message that cannot be read is its outcome."""
    fingerprint = hashlib.sha256(body + account.SerializeToString(deterministic=True)).hexdigest()
    try:
        specification = _account_specification(account, shared)
    except InvalidInput as error:
        shared_field = error.field.startswith("universe.")
        own = error if shared_field else located(error, OptimizeBatchRequest(account=account))
        return BatchAccount(account.key, own, fingerprint)
    except DomainError as error:
        return BatchAccount(account.key, error, fingerprint)
    return BatchAccount(account.key, specification, fingerprint, _origins(account, shared))


def _origins(account: OptimizeBatchRequest.Account, shared: BatchCommand) -> tuple[str, ...]:
    """Where the constraints were sent: shared ones that the account does not replace, then its own."""
    own = {message.label for message in account.constraints}
    kept = (i for i, one in enumerate(shared.specification.constraints) if one.label not in own)
    return (
        *(f"universe.spec.constraints[{i}]" for i in kept),
        *(f"account.constraints[{i}]" for i in range(len(account.constraints))),
    )


def _account_specification(account: OptimizeBatchRequest.Account, shared: BatchCommand) -> Specification:
    own: dict[str, Constraint | ConstraintBySymbol] = {}
    for i, message in enumerate(account.constraints):
        constraint = constraint_from_proto(i, message)
        # Without a label of its own it must not take the place of a shared one without a label.
        label = message.label or f"account.constraints[{i}]"
        if label in own:
            raise InvalidInput(f"constraints[{i}].label", f"{label} is used twice")
        own[label] = replace(constraint, label=label)
    costs = shared.specification.costs
    if costs is not None and not account.current_weights:
        costs.without_current_weights()
    kept = [constraint for constraint in shared.specification.constraints if constraint.label not in own]
    specification = replace(
        shared.specification,
        constraints=(*kept, *own.values()),
        current_weights=weights_from_proto("current_weights", account.current_weights)
        if account.current_weights
        else None,
    )
    if account.HasField("objective"):
        specification = replace(specification, objective=objective_from_proto(account.objective))
    returns_kept = isinstance(shared.data, Moments) or shared.specification.needs_distribution
    if specification.needs_distribution and not returns_kept:
        needs = "a constraint" if specification.limits_need_returns else "an objective or a risk limit"
        raise NotSupported(
            f"{needs} that needs returns is not supported in an account; put it, or one like it, into universe.spec"
        )
    if not shared.expected_returns_given and specification.needs_expected_returns:
        raise InvalidInput(
            "universe.moments.expected_returns", "must be given: the objective or a constraint asks for a return"
        )
    return specification


def batch_result_to_bytes(key: str, answer: OptimizationProto, fingerprint: str) -> bytes:
    """The answer of an account."""
    response = OptimizeBatchResponse(key=key, result=answer)
    response.result.input_fingerprint = fingerprint
    encoded: bytes = response.SerializeToString()
    return encoded


def batch_error_to_bytes(key: str, error: Exception) -> bytes:
    """Why an account has no answer."""
    status = Status.FromString(error.status) if isinstance(error, Refused) else status_from_error(error)
    encoded: bytes = OptimizeBatchResponse(key=key, error=status).SerializeToString()
    return encoded


def checked_to_bytes(warnings: Iterable[ResultWarning]) -> bytes:
    """The answer to a request that was only to be checked: what is probably not meant in it."""
    encoded: bytes = OptimizationProto(warnings=warnings_to_proto(warnings)).SerializeToString()
    return encoded


def answer_to_proto(priced: PricedAnswer) -> OptimizationProto:
    """The answer without what storing adds: name, time and fingerprint."""
    problem, solution = priced.answer.problem, priced.answer.solution
    response = OptimizationProto(
        expected_return_annual=solution.expected_return_annual if priced.expected_returns_given else None,
        volatility_annual=solution.volatility_annual,
        risk=solution.risk,
        ratio=solution.ratio if priced.expected_returns_given else None,
        diversification=solution.diversification,
        effective_number_of_assets=solution.effective_number_of_assets,
        turnover_one_way=solution.turnover_one_way,
        cost=priced.cost,
        certificate=_certificate(solution.certificate, priced.answer.solve_seconds),
        periods_per_year=problem.periods_per_year,
        covariance_repair=repair_to_proto(problem.moments),
        estimation_diagnostics=_diagnostics(priced.answer.diagnostics),
        warnings=warnings_to_proto(solution.warnings),
    )
    weights = solution.weights.tolist()
    add_weights(response.weights, solution.symbols, weights)
    add_contributions(response.risk_contributions, solution.symbols, weights, solution.contributions)
    for one in solution.binding:
        line = response.binding.add()
        line.label, line.side = one.label, _SIDES[one.side]
        if one.symbol is not None:
            line.symbol = one.symbol
        if one.shadow_price is not None:
            line.shadow_price = one.shadow_price
    return response


def _diagnostics(found: EstimationDiagnostics | None) -> optimization_pb2.EstimationDiagnostics | None:
    if found is None:
        return None
    return optimization_pb2.EstimationDiagnostics(
        observations=found.observations,
        effective_observations=found.effective_observations,
        condition_number=found.condition_number,
        shrinkage_intensity=found.shrinkage_intensity,
    )


def record_to_bytes(record: StoredResult) -> bytes:
    """A stored answer as Optimize gave it. Bytes of two messages, one after the other, are those of both merged."""
    kept = OptimizationProto(
        name=NAME + record.id,
        request_id=record.request_id or "",
        label=record.label,
        input_fingerprint=record.input_fingerprint,
    )
    kept.create_time.FromDatetime(record.created)
    if record.stale_since is not None:
        kept.stale_since.FromDatetime(record.stale_since)
    return record.payload + kept.SerializeToString()


def summary_to_bytes(answer: OptimizationProto) -> bytes:
    """What a list shows of an answer, but for what storing adds."""
    encoded: bytes = ListOptimizationsResponse.Summary(
        assets=len(answer.weights),
        expected_return_annual=answer.expected_return_annual if answer.HasField("expected_return_annual") else None,
        volatility_annual=answer.volatility_annual,
        solver=answer.certificate.solver,
    ).SerializeToString()
    return encoded


def page_to_proto(page: ResultPage, *, with_owners: bool = False) -> ListOptimizationsResponse:
    """A page of stored answers without their weights."""
    response = ListOptimizationsResponse(next_page_token=page.next_token)
    for record in page.records:
        line = response.optimizations.add()
        line.MergeFromString(record.summary or summary_to_bytes(OptimizationProto.FromString(record.payload)))
        line.name, line.request_id, line.label = NAME + record.id, record.request_id or "", record.label
        line.create_time.FromDatetime(record.created)
        if record.stale_since is not None:
            line.stale_since.FromDatetime(record.stale_since)
        line.owner = record.owner if with_owners else ""
    return response


def add_weights(lines: Any, symbols: Sequence[str], weights: Sequence[float]) -> None:
    """One message for each asset, added to a field of `AssetWeight`.

    Field by field: a message that is made of named arguments, or copied into another one, takes twice as long.
    """
    for symbol, weight in zip(symbols, weights, strict=True):
        line = lines.add()
        line.symbol, line.weight = symbol, weight


def add_contributions(
    lines: Any, symbols: Sequence[str], weights: Sequence[float], contributions: RiskContributions
) -> None:
    """The same for a field of `RiskContribution`."""
    total = contributions.total
    marginals, by_asset = contributions.marginal.tolist(), contributions.by_asset.tolist()
    for symbol, weight, marginal, contribution in zip(symbols, weights, marginals, by_asset, strict=True):
        line = lines.add()
        line.symbol, line.weight, line.marginal, line.contribution = symbol, weight, marginal, contribution
        if total > 0.0:
            line.fraction = contribution / total


def repair_to_proto(moments: Moments) -> optimization_pb2.CovarianceRepair | None:
    """What was done to the covariance, if anything."""
    if moments.repair is None:
        return None
    return optimization_pb2.CovarianceRepair(
        smallest_eigenvalue=moments.repair.smallest_eigenvalue, largest_change=moments.repair.largest_change
    )


def _certificate(certificate: Certificate, solve_seconds: float) -> optimization_pb2.Certificate:
    message = optimization_pb2.Certificate(
        engine=_ENGINES[certificate.engine],
        solver=certificate.solver,
        solver_version=certificate.solver_version,
        iterations=certificate.iterations,
        dual_residual=certificate.dual_residual,
        duality_gap=certificate.duality_gap,
        max_constraint_violation=certificate.max_constraint_violation,
    )
    message.solve_duration.FromNanoseconds(round(solve_seconds * 1e9))
    return message
