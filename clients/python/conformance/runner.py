"""Runs the cases of clients/conformance against a live server and prints a line of JSON for each.

Exit code 0 if all are as expected, else 1. clients/conformance/README.md says what a case is.
"""

import argparse
import importlib
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
from absfin import Client, Finished, Milestone, errors
from absfin.channel import OPTIONS
from absfin.errors import error_from_call
from absfinance.v1 import backtest_pb2, backtest_service_pb2, backtest_service_pb2_grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor

CALL_SECONDS = 60.0
DEFAULT_TOLERANCE = 1e-6
Run = Callable[[grpc.Channel, Mapping[str, Any]], dict[str, Any]]
PROGRESS = "/absfinance.v1.BacktestService/BacktestProgress"


def main() -> int:
    """Runs the cases that the arguments name; returns the exit code."""
    parser = argparse.ArgumentParser(description="Runs conformance cases with the Python client.")
    parser.add_argument("--address", required=True, help="host:port of the server")
    parser.add_argument("--cases", required=True, type=Path, help="file of cases")
    parser.add_argument("--only", help="id of the only case to run")
    arguments = parser.parse_args()
    cases = json.loads(arguments.cases.read_text("utf-8"))
    good = True
    for found in outcomes(arguments.address, cases, arguments.only):
        print(json.dumps(found), flush=True)  # noqa: T201  # the caller reads it
        good = good and found["ok"]
    return 0 if good else 1


def outcomes(address: str, cases: Mapping[str, Any], only: str | None) -> Iterator[dict[str, Any]]:
    """What came of each case, in the order of the file."""
    found = 0
    with grpc.insecure_channel(address, options=OPTIONS) as channel:
        for kind, run in (("unary", unary_outcome), ("streams", stream_outcome)):
            for case in cases.get(kind, []):
                if only is None or case["id"] == only:
                    found += 1
                    yield outcome(run, channel, case)
    if only is not None and not found:
        yield {"id": only, "ok": False, "why": "the file has no such case"}


def outcome(run: Run, channel: grpc.Channel, case: Mapping[str, Any]) -> dict[str, Any]:
    """What came of a case; one whose request is no message of the contract has failed."""
    try:
        return run(channel, case)
    except json_format.ParseError as error:
        return {"id": case["id"], "ok": False, "why": f"no request of this contract: {error}"}


def unary_outcome(channel: grpc.Channel, case: Mapping[str, Any]) -> dict[str, Any]:
    """Calls the method of a case and compares the answer, or the error."""
    for call in case.get("setup", []):
        answered(channel, call["method"], call["request"])
    found, expect = answered(channel, case["method"], case["request"]), case["expect"]
    if isinstance(found, errors.AbsFinanceError):
        why = error_difference(expect["error"], found) if "error" in expect else f"failed: {found.reason} {found}"
    elif "error" in expect:
        why = f"answered instead of {expect['error']['code']}"
    else:
        why = difference(expect["response"], found, expect.get("tolerance", DEFAULT_TOLERANCE))
    return {"id": case["id"], "ok": not why, "why": why}


def answered(channel: grpc.Channel, method: str, request: Any) -> Any:
    """The answer of a unary method as proto JSON, or its typed error."""
    kind = method_of(method)
    message = json_format.ParseDict(request, message_factory.GetMessageClass(kind.input_type)())
    call: Any = channel.unary_unary(
        f"/{kind.containing_service.full_name}/{kind.name}",
        request_serializer=lambda sent: sent.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(kind.output_type).FromString,
    )
    try:
        return json_format.MessageToDict(call(message, timeout=CALL_SECONDS))
    except grpc.RpcError as error:
        return error_from_call(error)


def method_of(method: str) -> MethodDescriptor:
    """The descriptor of a method such as "OptimizationService/Optimize"."""
    service, name = method.split("/")
    module = re.sub(r"(?<!^)(?=[A-Z])", "_", service).lower()
    file = importlib.import_module(f"absfinance.v1.{module}_pb2").DESCRIPTOR
    found: MethodDescriptor = file.services_by_name[service].methods_by_name[name]
    return found


def error_difference(expected: Mapping[str, Any], found: errors.AbsFinanceError) -> str:
    """In what an error differs from the expected one; empty where it does not."""
    if found.code.name != expected["code"]:
        return f"code {found.code.name}, not {expected['code']}: {found}"
    if found.reason != expected.get("reason", found.reason):
        return f"reason {found.reason}, not {expected['reason']}"
    fields = {one.field for one in getattr(found, "violations", ())}
    if missing := [field for field in expected.get("fields", []) if field not in fields]:
        return f"no violation of {missing[0]}, but of {sorted(fields)}"
    infeasible = isinstance(found, errors.InfeasibleProblem) and bool(found.conflicts)
    if infeasible != expected.get("infeasible", infeasible):
        return f"infeasibility report: {infeasible}"
    return ""


def difference(expected: Any, found: Any, tolerance: float, path: str = "") -> str:
    """The first member of `expected` that `found` lacks or has otherwise; empty where there is none."""
    if isinstance(expected, Mapping):
        if not isinstance(found, Mapping):
            return f"{path or 'the answer'} is no object"
        for name, value in expected.items():
            at = f"{path}.{name}" if path else name
            if why := difference(value, found[name], tolerance, at) if name in found else f"{at} is absent":
                return why
        return ""
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return f"{path} is not a list of {len(expected)}: {found}"
        pairs = enumerate(zip(expected, found, strict=True))
        return next(filter(None, (difference(a, b, tolerance, f"{path}[{i}]") for i, (a, b) in pairs)), "")
    return "" if equal(expected, found, tolerance) else f"{path} is {found!r}, not {expected!r}"


def equal(expected: Any, found: Any, tolerance: float) -> bool:
    """Numbers within the tolerance, absolute and relative; 64-bit integers and NaN are strings in proto JSON."""
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if expected == found:
        return True
    a, b = number(found), number(expected)
    if a is None or b is None or not math.isfinite(a) or not math.isfinite(b):
        return False
    return abs(a - b) <= tolerance * (1.0 + abs(b))


def number(value: Any) -> float | None:
    """A number, also one that proto JSON writes as a string; None for anything else."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


class Counter(grpc.UnaryStreamClientInterceptor):
    """Counts how often progress was asked for."""

    def __init__(self) -> None:
        self.calls = 0

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        """Passes a call on."""
        self.calls += details.method == PROGRESS
        return continuation(details, request)


def stream_outcome(channel: grpc.Channel, case: Mapping[str, Any]) -> dict[str, Any]:
    """Starts a backtest, follows it with the client to its end, and checks what came."""
    counter = Counter()
    milestones: list[int] = []
    terminal = ""
    client = Client(channel=grpc.intercept_channel(channel, counter))  # the channel stays open for the other cases
    try:
        place = case.get("place", {})
        name = started(channel, case["request"])
        for news in client.watch(name, after=int(place.get("afterSequence", 0)), epoch=place.get("epoch", "")):
            if isinstance(news, Milestone):
                milestones.append(news.sequence)
            elif isinstance(news, Finished):
                terminal = f"BACKTEST_STATE_{news.state.upper()}"
    except errors.AbsFinanceError as error:
        expected = case["expect"].get("error")
        why = error_difference(expected, error) if expected else f"{error.code.name} {error.reason}: {error}"
    else:
        why = stream_difference(case["expect"], milestones, terminal)
    resumptions = max(counter.calls - 1, 0)
    return {"id": case["id"], "ok": not why, "why": why, "milestones": milestones, "resumptions": resumptions}


def started(channel: grpc.Channel, request: Any) -> str:
    """The name of the backtest that a request started."""
    stub = backtest_service_pb2_grpc.BacktestServiceStub(channel)
    message = json_format.ParseDict(request, backtest_service_pb2.BacktestRequest())
    with errors.typed_errors():
        answer: backtest_pb2.Backtest = stub.Backtest(message, timeout=CALL_SECONDS)
    return answer.name


def stream_difference(expect: Mapping[str, Any], milestones: Iterable[int], terminal: str) -> str:
    """In what a stream differs from the expected one; empty where it does not."""
    order = list(milestones)
    if "error" in expect:
        return f"ended as {terminal or 'nothing'}, and an error was expected: {expect['error']}"
    if any(a >= b for a, b in pairwise(order)):
        return f"milestones out of order or repeated: {order}"
    if terminal != expect["terminal"]:
        return f"ended as {terminal or 'nothing'}, not {expect['terminal']}"
    if expect.get("events", {}).get("milestones", False) and not order:
        return "no milestone came"
    return ""


if __name__ == "__main__":
    sys.exit(main())
