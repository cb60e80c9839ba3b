"""Requests as JSON: `--request` of the commands, and what is wrong with a request."""

import json
from pathlib import Path
from typing import Any

import pytest
from absfin.cli.app import app
from absfin.cli.request_files import explained
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from google.protobuf.json_format import ParseDict, ParseError
from typer.testing import CliRunner

from tests.clients.python.command_line import absfin, as_json, told
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
TARGET = {"weights": [{"symbol": "A", "weight": 1}]}
REALLOCATE = {
    "portfolio": {"cash": 100},
    "snapshot": {"assets": [{"symbol": "A", "price": 10}]},
    "targetWeights": TARGET,
}


def answered(server: RunningServer, command: str, request: dict[str, Any]) -> dict[str, Any]:
    done = absfin(server, *command.split(), "--request", "-", "--json", sent=json.dumps(request))
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


def table(*rows: list[float]) -> dict[str, Any]:
    """A table by date of two columns."""
    days = list(range(18000, 18000 + len(rows)))
    return {"symbols": ["A", "B"], "dates": days, "values": [value for row in rows for value in row]}


def test_a_request_of_what_is_estimated(server: RunningServer, tmp_path: Path) -> None:
    sent = json.dumps({"moments": MOMENTS, "points": 3})
    points = absfin(server, "frontier", "--request", "-", "--json", sent=sent).stdout.splitlines()
    # From the asset with the highest return to the least variance.
    weights = [{one["symbol"]: one.get("weight", 0.0) for one in json.loads(point)["weights"]} for point in points]
    assert [one["B"] for one in weights] == pytest.approx([1.0, (1 + 4 / 13) / 2, 4 / 13])
    assert "100.00 %" in absfin(server, "frontier", "--request", "-", sent=sent).stdout
    model = json.dumps({"prices": PANEL})
    parts = absfin(server, "risk-model", "--request", "-", "--json", sent=model).stdout.splitlines()
    assert json.loads(parts[0])["diagnostics"]["observations"] == 9
    output = tmp_path / "covariance.csv"
    absfin(server, "risk-model", "--request", "-", "--array", "covariance", "-o", str(output), sent=model)
    assert output.read_text().startswith("symbol,A,B\n")
    wanted = json.dumps({"analysis": RISK, "charts": ["CHART_DRAWDOWN"]})
    assert list(json.loads(absfin(server, "charts", "--request", "-", sent=wanted).stdout)) == ["drawdown"]


def test_a_request_of_what_is_measured(server: RunningServer) -> None:
    returns = {"returns": table(*([0.01 * i % 0.03, 0.02 * i % 0.05] for i in range(40))), "resamples": 100}
    assert answered(server, "compare", returns)["resamples"] == 100
    halves, gains, nothing = table([0.5, 0.5]), table([0.02, 0.0]), table([0.0, 0.0])
    effects = {
        "portfolioWeights": halves,
        "benchmarkWeights": halves,
        "portfolioReturns": gains,
        "benchmarkReturns": nothing,
    }
    assert answered(server, "attribute", effects)["excessReturn"] == pytest.approx(0.01)
    sent = json.dumps({"trades": [{"symbol": "NOWHERE", "quantity": 5}]})
    assert "NOWHERE" in absfin(server, "liquidity", "--request", "-", sent=sent, status=1).stderr


def test_a_mandate_and_fills_are_said_by_requests(server: RunningServer) -> None:
    cap = {"label": "cap", "weightBounds": {"upper": 0.4}}
    portfolio = {"cash": 1000, "mandate": {"optimize": {"objective": {"minRisk": {}}}, "constraints": [cap]}}
    made = answered(server, "portfolio create", {"portfolio": portfolio, "portfolioId": "cli-mandate"})
    assert made["mandate"]["constraints"][0]["label"] == "cap"
    wider = {"name": made["name"], "etag": made["etag"], "displayName": "wider"}
    said = absfin(server, "portfolio", "update", "--request", "-", sent=json.dumps({"portfolio": wider})).stdout
    assert said.startswith("portfolios/cli-mandate is changed")
    fill = {"fillId": "1", "symbol": "A", "quantity": 10, "price": 20, "fillTime": "2024-03-07T10:00:00Z"}
    after = answered(server, "fills", {"portfolio": made["name"], "fills": [fill]})["portfolio"]
    assert (after["cash"], after["displayName"]) == (800.0, "wider")
    lines = [
        {"shared": {"snapshot": {"assets": [{"symbol": "A", "price": 10}]}, "targetWeights": TARGET}},
        {"account": {"key": "half", "portfolio": {"cash": 50}}},
        {"account": {"key": "whole", "portfolio": {"cash": 100}}},
    ]
    sent = "\n".join(map(json.dumps, lines))
    answers = absfin(server, "reallocate-batch", "--request", "-", "--json", sent=sent).stdout.splitlines()
    bought = {one["key"]: one["result"]["plan"]["trades"][0]["quantity"] for one in map(json.loads, answers)}
    assert bought == {"half": 5.0, "whole": 10.0}
    assert "whole" in absfin(server, "reallocate-batch", "--request", "-", sent=sent).stdout


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("compare", "give a file, or --request"),
        ("attribute a.csv", "no such file: a.csv"),
        ("attribute", "give four files, or --request"),
        ("liquidity", "give trades, or --request"),
        ("fills portfolios/a", "give a name and a file, or --request"),
        ("portfolio create", "give a name, or --request"),
        ("portfolio update", "give a name, or --request"),
        ("reallocate-batch", "give portfolios, or --request"),
        ("charts", "give the name of a stored result, or --request"),
        ("reallocate-batch mine --request -", "PORTFOLIOS cannot stand beside it"),
        ("charts mine --request -", "NAME cannot stand beside it"),
    ],
)
def test_a_command_says_what_it_needs(command: str, words: str) -> None:
    said = CliRunner().invoke(app, command.split(), input="{}")
    assert said.exit_code == 2
    assert words in " ".join(said.output.replace("│", " ").split())


def test_a_request_of_the_same_id_does_its_work_once(server: RunningServer) -> None:
    names = {answered(server, "optimize", {**OPTIMIZE, "requestId": "cli-once"})["name"] for _ in range(2)}
    assert len(names) == 1
    assert len({answered(server, "optimize", OPTIMIZE)["name"] for _ in range(2)}) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"constraint": []}', "standard input: constraint is no field; did you mean constraints?"),
        (
            '{"constraints": [{}, {"weightBound": {}}]}',
            "standard input: constraints[1].weightBound is no field; did you mean",
        ),
        ('{"objective": {"minRisk": {"much": 1}}}', "standard input: objective.minRisk.much is no field"),
        ('{"confidenceLevel": "high"}', "standard input: confidenceLevel: Couldn't parse float: high"),
        ('{"riskMeasure": "BETA"}', "standard input: riskMeasure: Invalid enum value BETA"),
        ('{"label": 1}', "standard input: label must be a text"),
        ('{"label": "a", "label": "b"}', "duplicate key label"),
        ('{"label":\n "a",}', "standard input, line 2, column 6"),
        ("[1]", "standard input is no JSON object"),
        ("", "standard input, line 1, column 1"),
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
