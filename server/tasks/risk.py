"""AnalyzeRisk and EstimateRiskModel."""

from collections.abc import Callable
from dataclasses import replace

from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest, EstimateRiskModelRequest

from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.risk.estimate import estimate
from domain.risk.flow import RiskAssessment, assess
from server.commands.risk import RiskCommand
from server.commands.stored import DataRequest, StoredData
from server.converters.message import message_from_bytes
from server.converters.risk import risk_command_from_proto, risk_model_command_from_proto
from server.converters.risk_model import risk_model_to_proto
from server.converters.risk_report import assessment_to_proto
from server.converters.warning import warnings_to_proto
from server.execution.control import Control
from server.tasks.optimize import opened, selections
from server.tasks.refusing import locating, refusing
from server.tasks.stored_market import currency_warnings, instruments_needed, instruments_of


@refusing
@locating(AnalyzeRiskRequest)
def analyze(request: bytes, found: StoredData | None, control: Control) -> DataRequest | bytes:
    """The report, or what is needed first."""
    command = risk_command_from_proto(message_from_bytes(AnalyzeRiskRequest, request))
    if found is None and (needed := data_request(command)):
        return needed
    found = found or StoredData()
    if needed := instruments_needed(command.data, found):
        return needed
    report = assessed(command, found, control)
    message = assessment_to_proto(report, drawdown_series=command.drawdown_series)
    currencies = currency_warnings(command.data, found, command.specification.estimation.factors)
    message.warnings.extend(warnings_to_proto(currencies))
    encoded: bytes = message.SerializeToString()
    return encoded


def assessed(command: RiskCommand, found: StoredData, control: Control) -> RiskAssessment:
    """The report of a command on what the store has for it."""
    benchmark = found.input(command.benchmark)
    compared = None if benchmark is None else opened(benchmark)
    if compared is not None and not isinstance(compared, PricePanel | ReturnPanel):
        raise TypeError("a benchmark is prices or returns")
    for i, name in enumerate(command.stored_groups):
        if name not in found.groups:
            raise InvalidInput(f"stored_groups[{i}]", f"no stored instrument with prices has the label {name!r}")
    specification = replace(command.specification, stored_groups=found.groups)
    control()
    return assess(specification, opened(found.input(command.data)), compared, control)


@refusing
@locating(EstimateRiskModelRequest)
def model_needs(request: bytes, found: StoredData | None, control: Control) -> DataRequest | None:
    """What EstimateRiskModel needs next, None where all of it is found."""
    command = risk_model_command_from_proto(message_from_bytes(EstimateRiskModelRequest, request))
    if found is None:
        return DataRequest(panels=selections(command.data), instruments=instruments_of(command.data)) or None
    return instruments_needed(command.data, found) or None


@refusing
@locating(EstimateRiskModelRequest)
def model(request: bytes, found: StoredData, control: Control, report: Callable[[bytes], None]) -> None:
    """Reports diagnostics, then arrays in pieces."""
    command = risk_model_command_from_proto(message_from_bytes(EstimateRiskModelRequest, request))
    data = opened(found.input(command.data))
    if not isinstance(data, PricePanel | ReturnPanel):
        raise TypeError("a risk model is estimated from prices or returns")
    control()
    currencies = currency_warnings(command.data, found, command.specification.estimation.factors)
    for piece in risk_model_to_proto(estimate(command.specification, data, control), currencies):
        report(piece.SerializeToString())


def data_request(command: RiskCommand) -> DataRequest:
    """What a command needs first."""
    return DataRequest(
        panels=(*selections(command.data), *selections(command.benchmark)),
        groups=command.stored_groups,
        instruments=instruments_of(command.data),
    )
