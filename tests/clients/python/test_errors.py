"""Every reason of the contract has an exception, and every exception a family."""

import inspect

import grpc
import pytest
from absfin import errors
from absfin.errors import (
    AbsFinanceError,
    AccessError,
    InternalError,
    InvalidInput,
    ProblemError,
    ResourceError,
    TransientError,
)
from absfinance.v1.error_reason_pb2 import ErrorReason
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

FAMILIES = {InvalidInput, ProblemError, ResourceError, AccessError, TransientError, InternalError}
REASONS = [name.removeprefix("ERROR_REASON_") for name, number in ErrorReason.items() if number]
KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, AbsFinanceError) and kind is not AbsFinanceError
]


def raised_for(reason: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> AbsFinanceError:
    detail = AnyMessage()
    detail.Pack(ErrorInfo(reason=reason, domain="absfinance"))
    return errors.error_from_status(Status(code=code.value[0], message="why", details=[detail]))


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_belongs_to_one_family_whatever_its_code(reason: str) -> None:
    error = raised_for(reason)
    assert len([family for family in FAMILIES if isinstance(error, family)]) == 1
    assert (error.reason, str(error)) == (reason, "why")
    assert raised_for(reason, grpc.StatusCode.ABORTED).__class__ is error.__class__


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_is_retryable_if_it_is_transient(kind: type[AbsFinanceError]) -> None:
    assert len(FAMILIES.intersection(kind.__mro__)) == 1
    assert issubclass(kind, TransientError) == kind.RETRYABLE


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_is_explained_in_the_table(kind: type[AbsFinanceError]) -> None:
    assert f"`{kind.__name__}`" in (errors.__doc__ or "")


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in {ProblemError, ResourceError, AccessError, TransientError}]
)
def test_an_exception_has_a_reason_or_a_code(kind: type[AbsFinanceError]) -> None:
    by_code = [errors.error_from_status(Status(code=code.value[0])) for code in grpc.StatusCode]
    assert kind in {type(error) for error in (*map(raised_for, REASONS), *by_code)}


def test_an_unknown_reason_is_taken_by_its_code() -> None:
    assert isinstance(raised_for("OF_A_NEWER_SERVER", grpc.StatusCode.NOT_FOUND), errors.NotFound)
    assert type(raised_for("OF_A_NEWER_SERVER", grpc.StatusCode.DATA_LOSS)) is AbsFinanceError
