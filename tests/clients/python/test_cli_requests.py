"""Requests as JSON: `--request` of the commands, and what is wrong with a request."""

import json
from pathlib import Path
from typing import Any

import pytest
from absfin.cli.request_files import explained
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from google.protobuf.json_format import ParseDict, ParseError

from tests.clients.python.command_line import absfin, as_json
from tests.conftest import RunningServer

MOMENTS = {
    "symbols": ["A", "B"],
    "expectedReturns": [0.01, 0.02],
    "covariance": [0.04, 0.0, 0.0, 0.09],
    "periodsPerYear": 1,
}
OPTIMIZE: dict[str, Any] = {"moments": MOMENTS, "objective": {"minRisk": {}}}
PANEL = {"symbols": ["A", "B"], "dates": list(range(18000, 18010)), "values": [100.0 + i % 7 for i in range(20)]}
RISK = {"prices": PANEL, "weights": [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5}]}
BACKTEST = {"prices": PANEL, "strategy": {"label": "half each", "equalWeight": {}}}
REALLOCATE = {
    "portfolio": {"cash": 100},
    "snapshot": {"assets": [{"symbol": "A", "price": 10}]},
    "targetWeights": {"weights": [{"symbol": "A", "weight": 1}]},
}


def told(server: RunningServer, *arguments: str, sent: str = "") -> str:
    """The error of usage of a command, on one line."""
    return " ".join(absfin(server, *arguments, status=2, sent=sent).stderr.replace("│", " ").split())


def answered(server: RunningServer, command: str, request: dict[str, Any]) -> dict[str, Any]:
    done = absfin(server, command, "--request", "-", "--json", sent=json.dumps(request))
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_request_from_a_file_and_from_standard_input(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(OPTIMIZE))
    answer = as_json(server, "optimize", "--request", str(path))
    # Least variance of uncorrelated assets: in proportion to 1/0.04 and 1/0.09.
    assert [one["weight"] for one in answer["weights"]] == pytest.approx([9 / 13, 4 / 13])
    assert answered(server, "optimize", OPTIMIZE)["weights"] == answer["weights"]
    assert "69.23 %" in absfin(server, "optimize", "--request", str(path)).stdout


def test_a_request_of_each_command(server: RunningServer, tmp_path: Path) -> None:
    assert answered(server, "risk", RISK)["observations"] == 9
    plan = answered(server, "reallocate", REALLOCATE)
    assert [(one["symbol"], one["quantity"]) for one in plan["plan"]["trades"]] == [("A", 10.0)]
    assert answered(server, "backtest", BACKTEST)["result"]["strategies"][0]["label"] == "half each"
    job = absfin(server, "backtest", "--request", "-", "--detach", sent=json.dumps(BACKTEST)).stdout
    assert job.startswith("backtests/")
    waiting = {**BACKTEST, "wait": "20s", "backtestId": "cli-request"}
    assert answered(server, "backtest", waiting)["name"] == "backtests/cli-request"
    for command, request in (("backtest", BACKTEST), ("optimize", OPTIMIZE)):
        only_checked = json.dumps({**request, "validateOnly": True})
        assert absfin(server, command, "--request", "-", sent=only_checked).stdout == "the request is valid\n"


def test_a_request_of_the_same_id_does_its_work_once(server: RunningServer) -> None:
    names = {answered(server, "optimize", {**OPTIMIZE, "requestId": "cli-once"})["name"] for _ in range(2)}
    assert len(names) == 1
    assert len({answered(server, "optimize", OPTIMIZE)["name"] for _ in range(2)}) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"constraint": []}', "-: constraint is no field; did you mean constraints?"),
        (
            '{"constraints": [{}, {"weightBound": {}}]}',
            "-: constraints[1].weightBound is no field; did you mean",
        ),
        ('{"objective": {"minRisk": {"much": 1}}}', "-: objective.minRisk.much is no field"),
        ('{"confidenceLevel": "high"}', "-: confidenceLevel: Couldn't parse float: high"),
        ('{"riskMeasure": "BETA"}', "-: riskMeasure: Invalid enum value BETA"),
        ('{"label": 1}', "-: label must be a text"),
        ('{"label": "a", "label": "b"}', "duplicate key label"),
        ('{"label":\n "a",}', "-, line 2, column 6"),
        ("[1]", "- is no JSON object"),
        ("", "-, line 1, column 1"),
    ],
)
def test_a_wrong_request_is_refused_with_its_path(server: RunningServer, text: str, words: str) -> None:
    assert words in told(server, "optimize", "--request", "-", sent=text)


def test_what_options_say_beside_a_request_is_refused(server: RunningServer) -> None:
    sent = json.dumps(OPTIMIZE)
    said = told(server, "optimize", "--request", "-", "--max-weight", "0.5", sent=sent)
    assert "--max-weight cannot stand beside it" in said
    said = told(server, "optimize", "--objective", "min-risk", "--request", "-", sent=sent)
    assert "--objective cannot stand beside it" in said, "not even the value that it has if absent"
    assert "WEIGHTS cannot stand" in told(server, "risk", "A=1", "--request", "-", sent=json.dumps(RISK))
    assert "--lag cannot stand" in told(server, "backtest", "--lag", "0", "--request", "-", sent=json.dumps(BACKTEST))
    assert "TARGET cannot stand" in told(server, "reallocate", "A=1", "--request", "-", sent=json.dumps(REALLOCATE))
    assert "cannot be read" in told(server, "optimize", "--request", "nowhere.json")
    assert "give weights, or --request" in told(server, "risk")


def test_what_the_server_refuses_in_a_request(server: RunningServer) -> None:
    done = absfin(server, "optimize", "--request", "-", status=1, sent=json.dumps({**OPTIMIZE, "confidenceLevel": 2}))
    assert "confidence_level" in done.stderr


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"constraints": [{"linear": {"uper": 1}}]}, "constraints[0].linear.uper is no field; did you mean upper?"),
    ({"moments": {"symbols": [3]}}, "moments.symbols[0] must be a text"),
    ({"moments": {"symbols": "A"}}, "moments.symbols must be a list"),
    ({"constraints": [{}, {"label": 3}]}, "constraints[1].label must be a text"),
    ({"constraints": [3]}, "constraints[0] must be an object"),
    ({"moments": 3}, "moments must be an object"),
    ({"moments": {"covariance": [[1.0]]}}, "moments.covariance[0] must be a number"),
    ({"validate_only": "yes"}, "validate_only must be true or false"),
    ({"moments": {"covariance": ["x"]}}, "moments.covariance[0]: Couldn't parse float: x"),
]


@pytest.mark.parametrize(("request_", "words"), WRONG, ids=[words.split(" ")[0] for _, words in WRONG])
def test_the_path_of_a_wrong_field(request_: dict[str, Any], words: str) -> None:
    with pytest.raises(ParseError) as raised:
        ParseDict(request_, OptimizeRequest())
    assert explained(str(raised.value), request_, OptimizeRequest) == words
