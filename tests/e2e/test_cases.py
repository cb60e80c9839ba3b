"""Inputs that once failed, with right answers that were computed independently: tests/cases/cases.json.

A case has `checks`, which all hold: a `path` into the answer, and what is `expected` there (within `tol`, or at most),
or what its text `contains` or `lacks`. `any` is a list of lists of checks of which one list holds.
"""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.conftest import Wire, refusal_of

CASES = json.loads((Path(__file__).parents[1] / "cases/cases.json").read_text())["cases"]

LISTS = {"weights": "symbol", "trades": "symbol"}
"""By which field a path such as weights[A] names an entry."""

STREAMS = {"OptimizationService/TraceFrontier"}

STEP = re.compile(r"(?P<name>\w+)(\[((?P<key>\w+)=)?(?P<value>[^\]]+)\])?")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_case_has_its_answer(wire: Wire, case: dict[str, Any]) -> None:
    answer = answered(wire, case["method"], case["request"])
    for check in case["checks"]:
        assert holds(check, answer), f"{check} in {json.dumps(answer)[:2000]}; {case['why']}"


def answered(wire: Wire, method: str, request: dict[str, Any]) -> Any:
    """The answer, of a stream a list of them; of a call that fails its `error`."""
    try:
        return list(wire.stream(method, request)) if method in STREAMS else wire.call(method, request)
    except grpc.RpcError as error:
        refusal = refusal_of(error)
        text = " ".join([refusal.message, *refusal.fields])
        return {
            "error": {"code": refusal.code, "reason": refusal.reason, "message": refusal.message, "text": text},
        }


def holds(check: Mapping[str, Any], answer: Any) -> bool:
    if "any" in check:
        return any(all(holds(one, answer) for one in checks) for checks in check["any"])
    found = at(check["path"], answer)
    if found is None and check.get("zero_if_absent"):
        found = 0.0
    if "contains" in check:
        return found is not None and check["contains"] in text_of(found)
    if "lacks" in check:
        return found is not None and check["lacks"] not in text_of(found)
    return matches(check["expected"], found, check.get("tol", 0.0))


def matches(expected: Any, found: Any, tolerance: float) -> bool:
    match expected:
        case {"le": most}:
            return (found or 0.0) <= most + tolerance
        case {"contains": text}:
            return found is not None and text in text_of(found)
        case {"finite_json": True}:
            return all(math.isfinite(number) for number in numbers(found))
        case bool() | str() | None:
            return bool(found == expected)
    return abs(float(found or 0.0) - expected) <= tolerance  # the JSON of a message leaves zeros out


def text_of(found: Any) -> str:
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def numbers(found: Any) -> list[float]:
    """Every number inside; JSON writes one that is not finite as its name."""
    if isinstance(found, Mapping):
        return [number for one in found.values() for number in numbers(one)]
    if isinstance(found, list):
        return [number for one in found for number in numbers(one)]
    if found in ("NaN", "Infinity", "-Infinity"):
        return [float(found)]
    return [float(found)] if isinstance(found, int | float) else []


def at(path: str, answer: Any) -> Any:
    """What stands at a path such as plan.trades[A].quantity or 0.weights[label=x]; None where nothing does."""
    found = answer
    for part in filter(None, path.split(".")):
        step = STEP.fullmatch(part)
        assert step is not None, path
        if isinstance(found, list):
            found = found[int(step["name"])] if int(step["name"]) < len(found) else None
        else:
            found = found.get(step["name"]) if isinstance(found, Mapping) else None
        if step["value"] and found is not None:
            key = step["key"] or LISTS[step["name"]]
            found = next((one for one in found if one.get(key) == step["value"]), None)
        if found is None:
            return None
        if step["value"] and step["name"] == "weights" and path.endswith("]"):
            return found.get("weight", 0.0)
    return found


@pytest.mark.parametrize(
    ("check", "answer", "good"),
    [
        ({"path": "a.b[X].q", "expected": 3, "tol": 1e-9}, {"a": {"trades": []}}, False),
        ({"path": "p.trades[X].q", "expected": 3, "tol": 1e-9}, {"p": {"trades": [{"symbol": "X", "q": 3}]}}, True),
        ({"path": "p.trades[X].q", "expected": 2, "tol": 1e-9}, {"p": {"trades": [{"symbol": "X", "q": 3}]}}, False),
        ({"path": "weights[A]", "expected": 0.4, "tol": 1e-9}, {"weights": [{"symbol": "A", "weight": 0.4}]}, True),
        ({"path": "error.message", "lacks": "no"}, {"error": {"message": "yes"}}, True),
        ({"path": "error.message", "lacks": "no"}, {"weights": []}, False),
        ({"path": "", "expected": {"finite_json": True}}, {"a": [1.0, "NaN"]}, False),
        ({"path": "cagr", "expected": None}, {"cagr": 1.0}, False),
        ({"path": "x[label=bm].y", "expected": 1.0}, {"x": [{"label": "bm", "y": 1.0}]}, True),
        ({"any": [[{"path": "a", "contains": "x"}], [{"path": "b", "contains": "x"}]]}, {"b": ["x"]}, True),
    ],
)
def test_checks_can_fail(check: dict[str, Any], answer: Any, good: bool) -> None:
    assert holds(check, answer) is good
