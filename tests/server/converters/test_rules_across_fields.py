"""Rules over several fields of a request, in the place of expressions of the contract."""

from typing import Any

import pytest
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest

from server.converters.rules_across_fields import broken_across_fields


@pytest.mark.parametrize("fields", [{}, {"validate_only": True}, {"validate_only": True, "check_feasibility": True}])
def test_what_holds(fields: dict[str, Any]) -> None:
    assert broken_across_fields(OptimizeRequest(**fields)) == ()


def test_a_check_of_feasibility_alone() -> None:
    (found,) = broken_across_fields(OptimizeRequest(check_feasibility=True))
    assert found.field == "check_feasibility"
    assert found.reason == "OPTIMIZE_CHECK_FEASIBILITY_WITH_VALIDATE_ONLY"
    assert found.rule.startswith("check_feasibility needs validate_only")


def test_a_request_without_such_rules() -> None:
    assert broken_across_fields(ReallocateRequest(validate_only=True)) == ()
