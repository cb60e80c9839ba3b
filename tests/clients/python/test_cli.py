"""The `absfin` command as a person and as a script runs it, against a real server."""

import gzip
import json
import signal
import subprocess
from datetime import date
from pathlib import Path

import grpc
import numpy as np
import pytest
from absfin import Client, Holdings, TaxLot

from tests.clients.python.command_line import ABSFIN, absfin, as_json, started, told
from tests.conftest import READY, ROOT, RunningServer
from tests.families import thinned
from tests.processes import first_line


@pytest.fixture
def trial_returns(tmp_path: Path) -> Path:
    """Returns of two strategies and of a benchmark on 60 dates; the first strategy is far better."""
    values = np.random.default_rng(6).normal(0.0, 0.01, (60, 3))
    values[:, 0] += 0.02
    days = np.arange("2021-01-04", "2021-03-05", dtype="datetime64[D]")
    lines = [
        "date,good,other,SP500",
        *(f"{day}," + ",".join(map(repr, row)) for day, row in zip(days, values.tolist(), strict=True)),
    ]
    path = tmp_path / "returns.csv"
    path.write_text("\n".join(lines))
    return path


def test_compare_names_the_strategies_that_beat_the_benchmark(server: RunningServer, trial_returns: Path) -> None:
    given = ("--benchmark", "SP500", "--resamples", "200", "--block-length", "2", "--seed", "4", "--segments", "4")
    found = as_json(server, "compare", str(trial_returns), *given, "--significance-level", "0.1")
    assert found["stepM"] == ["good"]
    assert [one["label"] for one in found["trials"]] == ["good", "other"]
    assert (found["resamples"], found["blockLength"], found["combinationCount"]) == (200, 2.0, 6)
    assert any("seed 4" in one["convention"] for one in found["bases"])
    text = absfin(server, "compare", str(trial_returns), "--benchmark", "SP500").stdout
    assert "good of 2 strategies" in text
    assert "better than the benchmark" in text


def test_compare_refuses_a_benchmark_that_is_no_column(server: RunningServer, trial_returns: Path) -> None:
    done = absfin(server, "compare", str(trial_returns), "--benchmark", "X", status=2)
    assert "X is not a column" in done.stderr


def test_backtest_validates_where_it_is_asked(server: RunningServer, prices: Path) -> None:
    usual = ("backtest", "--prices", str(prices), "--rebalance", "5")
    found = as_json(server, *usual, "--resamples", "200", "--block-length", "2", "--timing-luck", "2", "--seed", "3")
    validation = found["result"]["statisticalValidation"]
    assert validation["resamples"] == 200
    assert validation["blockLength"] == 2.0
    assert len(validation["timingLuck"]["outcomes"]) == 3
    assert any("seed 3" in one["convention"] for one in validation["bases"])
    assert "probability above" in absfin(server, *usual, "--validate").stdout
    assert "probability above" not in absfin(server, *usual).stdout
    assert "must be 0 or more" in absfin(server, *usual, "--timing-luck", "-1", status=2).stderr


def test_help_names_every_command(server: RunningServer) -> None:
    text = absfin(server, "--help").stdout
    assert all(
        name in text
        for name in (
            "serve",
            "import",
            "optimize",
            "risk",
            "backtest",
            "compare",
            "watch",
            "reallocate",
            "reallocate-batch",
            "fills",
            "charts",
            "tables",
            "doctor",
            "storage",
            "portfolio",
            "actions",
        )
    )
    assert "Usage" in absfin(server, "optimize", "--help").stdout


def test_import_optimize_risk(server: RunningServer, prices: Path) -> None:
    assert "2 symbols: 60 values inserted" in absfin(server, "import", str(prices)).stdout
    again = as_json(server, "import", str(prices))
    assert int(again["unchangedCount"]) == 60
    assert not {"insertedCount", "changedCount"} & set(again)
    answer = as_json(server, "optimize", "--symbols", "P,Q", "--max-weight", "0.55")
    weights = [entry["weight"] for entry in answer["weights"]]
    assert sum(weights) == pytest.approx(1.0)
    assert max(weights) <= 0.55 + 1e-9
    table = absfin(server, "optimize", "--symbols", "P,Q", "--objective", "equal-weight").stdout
    assert table.count("50.00 %") >= 2
    report = as_json(server, "risk", "P=0.5,Q=0.5", "--benchmark", "Q")
    assert report["betaToBenchmark"] > 0.0
    shown = absfin(server, "risk", "equal", "--symbols", "P,Q", "--stress", "covid_2020,lehman_2008").stdout
    assert "volatility, annual" in shown
    assert "lehman_2008" in shown
    assert "no benchmark was given" in shown


def test_warnings_are_shown(server: RunningServer, prices: Path) -> None:
    absfin(server, "import", str(prices))
    caps = ("--symbols", "P,Q", "--max-weight", "50")
    assert "warning: --min-weight/--max-weight: upper 50 never binds" in absfin(server, "optimize", *caps).stdout
    strategy = ("--strategy", "min-risk", "--lookback", "5")
    assert "upper 50 never binds" in absfin(server, "backtest", *caps, *strategy).stdout
    assert "never binds" not in absfin(server, "optimize", "--symbols", "P,Q", "--max-weight", "0.6").stdout


def test_files_instead_of_stored_prices(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    zipped = tmp_path / "prices.csv.gz"
    zipped.write_bytes(gzip.compress(prices.read_bytes()))
    plain = as_json(server, "optimize", "--prices", str(prices))
    assert as_json(server, "optimize", "--prices", str(zipped))["weights"] == plain["weights"]
    listed = tmp_path / "weights.csv"
    listed.write_text("symbol,weight\nP,0.25\nQ,0.75\n")
    report = as_json(server, "risk", str(listed), "--prices", str(prices), "--benchmark", "P")
    assert report["observations"] == 29


def test_backtest_and_watch(server: RunningServer, prices: Path) -> None:
    done = absfin(server, "backtest", "--prices", str(prices), "--cost-bps", "10", "--benchmark", "P")
    assert "equal_weight" in done.stdout
    assert "simulating equal_weight" in done.stderr
    name = absfin(server, "backtest", "--prices", str(prices), "--rebalance", "5", "--detach").stdout.strip()
    assert name.startswith("backtests/")
    answer = as_json(server, "watch", name)
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED"
    optimised = ("--strategy", "min-risk", "--lookback", "10", "--max-weight", "0.7", "--same-close")
    assert as_json(server, "backtest", "--prices", str(prices), *optimised)["result"]["metrics"]["finalWealth"] > 0
    assert "NOT_FOUND" in absfin(server, "watch", "backtests/none", status=1).stderr


def test_a_backtest_of_an_account_with_everything(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    held, actions, rates = tmp_path / "held.csv", tmp_path / "actions.csv", tmp_path / "rates.csv"
    liquidity = tmp_path / "liquidity.csv"
    held.write_text("symbol,units\nP,100\nQ,50\n")
    actions.write_text(
        "symbol,ex_date,kind,value,pay_date\nP,2021-01-11,cash_dividend,0.5,2021-01-14\nQ,2021-01-12,split,1\n"
    )
    rates.write_text("date,rate\n2021-01-01,0.02\n2021-01-20,0.03\n")
    liquidity.write_text("symbol,daily_value,volatility\nP,100000,0.2\nQ,100000,0.2\n")
    options = (
        *("--prices", str(prices), "--weights", "P=0.9,Q=0.5", "--initial-holdings", str(held), "--capital", "1000"),
        *("--band", "0.05", "--band-to", "edge", "--rebalance", "weekly", "--turnover-cap", "0.1"),
        *("--flow", "weekly:100", "--flow", "2021-01-15:-500", "--fee", "0.01", "--performance-fee", "0.2"),
        *("--hurdle", "0.05", "--financing-rate", "0.05", "--borrow-bps", "50", "--cash-rate", str(rates)),
        *("--day-count", "act360", "--cost-bps", "5", "--half-spread-bps", "1", "--min-commission", "1"),
        *("--commission-per-share", "0.01", "--impact", "1", "--liquidity", str(liquidity), "--whole-units"),
        *("--actions", str(actions), "--price-basis", "unadjusted", "--dividends", "reinvest", "--withholding", "0.15"),
    )
    result = as_json(server, "backtest", *options)["result"]
    for kind in ("commission", "spread", "impact", "financing", "managementFee", "withholding"):
        assert result["costs"][kind] > 0.0, kind
    assert result["costs"]["withholding"] == pytest.approx(0.15 * 0.5 * result["assetEvents"][0]["quantityBefore"])
    shown = " ".join(absfin(server, "backtest", *options).stdout.replace("│", " ").split())
    for words in (
        "+ flows",
        "+ gains",
        "- commission",
        "- management fee",
        "- withholding",
        "= end",
        "1 x cash dividend",
    ):
        assert words in shown
    assert f"{result['finalNav']:,.2f}" in shown
    assert "money-weighted return" in shown


def test_a_backtest_with_commission_alone_has_one_table(server: RunningServer, prices: Path) -> None:
    assert "= end" not in absfin(server, "backtest", "--prices", str(prices), "--cost-bps", "10").stdout


def test_a_backtest_at_opening_prices_with_limits(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    liquidity = tmp_path / "liquidity.csv"
    liquidity.write_text("P,1,\nQ,1,\n")
    options = ("--prices", str(prices), "--open-prices", str(prices), "--rebalance", "monthly:last", "--lag", "1")
    caps = ("--liquidity", str(liquidity), "--participation-cap", "0.01", "--missing-data", "asset-states")
    account = ("--delisting", "shumway-nyse", "--maintenance-ratio", "0.3", "--free-first-purchase", "--capital", "9")
    held = as_json(server, "backtest", *options, *caps, *account)["result"]["strategies"][0]
    # 27 dates are left of 30 to buy a hundredth of the daily value on each.
    assert held["finalCash"] == pytest.approx(9.0 - 2 * 28 * 0.01)
    flows = ("--flows-only", "--flow", "2021-01-15:3", "--capital", "9")
    rest = as_json(server, "backtest", *options[:2], *flows)["result"]
    assert rest["metrics"]["turnoverAnnual"] > 0.0


def test_a_universe_by_date_from_a_file(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    members = tmp_path / "members.csv"
    members.write_text("date,symbol\n2021-01-01,P\n2021-01-01,Q\n2021-01-15,Q\n")
    options = ("--prices", str(prices), "--rebalance", "5", "--universe-by-date", str(members))
    held = as_json(server, "backtest", *options)["result"]["strategies"][0]["finalHoldings"]
    assert [one["symbol"] for one in held if one["quantity"]] == ["Q"]
    members.write_text("soon,P\n")
    assert "date,symbol lines" in " ".join(absfin(server, "backtest", *options, status=2).stderr.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("P,2021-01-11,merger,1", "line 1: 'merger' is no kind"),
        ("P,soon,split,2", "line 1, column 2 (ex_date): Invalid isoformat"),
    ],
)
def test_a_broken_file_of_actions_names_its_line(
    server: RunningServer, prices: Path, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "actions.csv"
    path.write_text(text)
    done = absfin(server, "backtest", "--prices", str(prices), "--actions", str(path), status=2)
    assert words in " ".join(done.stderr.replace("│", " ").split())


def test_reallocate_and_portfolio(server: RunningServer, prices: Path) -> None:
    absfin(server, "import", str(prices))
    table = absfin(server, "reallocate", "P=0.5,Q=0.5", "--holdings", "P=100", "--cost-bps", "5").stdout
    assert "cash after" in table
    restricted = ["reallocate", "P=0.5,Q=0.5", "--holdings", "P=100", "--cash", "50", "--cost-bps", "5"]
    bought = as_json(
        server, *restricted, "--buy-only", "--cash-flow", "1000", "--retain-cash", "--max-cost-bps", "20",
        "--cost-aversion", "1", "--relative-band", "0.1",
    )  # fmt: skip
    assert {trade["symbol"] for trade in bought["plan"]["trades"]} == {"Q"}
    charged = as_json(server, *restricted, "--tracking-error", "--fixed-fee", "2", "--min-commission", "3")
    trades = charged["plan"]["trades"]
    assert charged["summary"]["costs"]["fixed"] == 2.0 * len(trades)
    assert all(trade["cost"] >= 5.0 for trade in trades)
    assert "trackingErrorAnnual" in charged["summary"]
    named = as_json(server, *restricted, "--no-new-names", "--sell-only")
    assert {reason["code"] for s in named["shortfalls"] if s["symbol"] == "Q" for reason in s["reasons"]} == {
        "SHORTFALL_CODE_DIRECTION"
    }
    quiet = as_json(server, *restricted, "--max-tracking-error", "9")
    assert "trackingErrorAnnual" in quiet["utilization"]
    assert "leave no trade" in absfin(server, *restricted, "--buy-only", "--sell-only", status=2).stderr
    assert "disabled_constraints[0]" in absfin(server, *restricted, "--disable", "x", status=1).stderr
    service = ("--strategy-service", "127.0.0.1:1")
    decided = absfin(server, "reallocate", "--symbols", "P,Q", "--cash", "100", *service, status=1)
    assert "target_strategy.target" in decided.stderr
    assert "--strategy-service" in absfin(server, *restricted, *service, status=2).stderr
    made = as_json(server, "portfolio", "create", "cli", "--holdings", "P=100", "--cash", "10")
    assert made["name"] == "portfolios/cli"
    answer = as_json(server, "reallocate", "Q=1", "--portfolio", "portfolios/cli", "--symbols", "P,Q")
    assert {trade["symbol"] for trade in answer["plan"]["trades"]} == {"P", "Q"}
    # The proceeds of P settle on the day after the sale.
    waits = ("reallocate", "Q=1", "--holdings", "P=100", "--settlement-days", "1")
    assert {trade["symbol"] for trade in as_json(server, *waits)["plan"]["trades"]} == {"P"}
    days = {trade["symbol"]: trade["day"] for trade in as_json(server, *waits, "--days", "2")["plan"]["trades"]}
    assert days == {"P": 1, "Q": 2}
    assert "portfolios/cli" in absfin(server, "portfolio", "list").stdout
    assert '"cash": 10' in absfin(server, "portfolio", "show", "portfolios/cli").stdout
    absfin(server, "portfolio", "delete", "portfolios/cli")
    assert "NOT_FOUND" in absfin(server, "portfolio", "show", "portfolios/cli", status=1).stderr


def test_fills_are_recorded_from_a_file(server: RunningServer, tmp_path: Path) -> None:
    absfin(server, "portfolio", "create", "traded", "--cash", "1000")
    file = tmp_path / "fills.csv"
    file.write_text(
        "fill_id,symbol,quantity,price,fill_time,fee\n1,A,10,20,2024-03-07T14:30:00Z,1\n2,A,-4,15,2024-03-08,\n"
    )
    shown = absfin(server, "fills", "portfolios/traded", str(file)).stdout
    assert "-20.00" in shown
    assert "859.00" in shown
    again = as_json(server, "fills", "portfolios/traded", str(file))
    assert again["portfolio"]["cash"] == 859
    assert [(gain["lotId"], gain["term"]) for gain in again["realizedGains"]] == [("1", "TERM_SHORT")]
    plan = as_json(server, "portfolio", "show", "portfolios/traded")
    assert plan["holdings"][0]["quantity"] == 6
    stale = absfin(server, "fills", "portfolios/traded", str(_more(file)), "--etag", "old", status=1)
    assert "ETAG_MISMATCH" in stale.stderr
    file.write_text("fill_id,symbol,units\n")
    assert "needs a header with" in absfin(server, "fills", "portfolios/traded", str(file), status=2).stderr
    file.write_text("fill_id,symbol,quantity,price,fill_time\n1,A,x,20,2024-03-07\n")
    assert "line 2, column 3 (quantity)" in told(server, "fills", "portfolios/traded", str(file))
    file.write_text("symbol,fill_id,quantity,price,fill_time,fee\nA,1,1,20,2024-03-07,\nA,2,1,20,2024-03-07,much\n")
    assert "line 3, column 6 (fee)" in told(server, "fills", "portfolios/traded", str(file))
    file.write_text("fill_id,symbol,quantity,price,fill_time\n1,A,1,20\n")
    assert "line 2: has 4 cells, the header has 5" in told(server, "fills", "portfolios/traded", str(file))


def _more(file: Path) -> Path:
    """The same file with a new fill."""
    file.write_text(file.read_text() + "3,A,1,15,2024-03-09,\n")
    return file


def test_corporate_actions_go_in_and_come_out(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    absfin(server, "import", str(prices))
    lines = [
        "symbol,ex_date,kind,value,pay_date",
        "P,2021-01-05,cash_dividend,0.5,2021-01-20",
        "P,2021-01-06,split,2.0,",
        "Q,2021-01-30,delisting,,",
    ]
    path = tmp_path / "actions.csv"
    path.write_text("\n".join(lines))
    assert absfin(server, "actions", "import", str(path)).stdout == "3 corporate actions stored\n"
    assert absfin(server, "actions", "list", "--symbols", "P,Q").stdout.splitlines() == lines
    some = absfin(server, "actions", "list", "--symbols", "P", "--start", "2021-01-06", "--json").stdout
    (action,) = json.loads(some)["corporateActions"]
    assert action["split"] == {"ratio": 2.0}
    path.write_text("\n".join([*lines, "P,2021-01-07,merger,1,"]))
    refusal = absfin(server, "actions", "import", str(path), status=2).stderr
    assert "line 5: 'merger' is no kind" in " ".join(refusal.replace("│", " ").split())


def test_what_the_server_refuses_is_said_in_one_line(server: RunningServer) -> None:
    done = absfin(server, "optimize", "--symbols", "NOWHERE", status=1)
    assert done.stdout == ""
    assert done.stderr.startswith("MISSING_MARKET_DATA")
    error = json.loads(absfin(server, "optimize", "--symbols", "NOWHERE", "--json", status=1).stderr)
    assert error["reason"] == "MISSING_MARKET_DATA"


def test_a_conflict_is_explained(server: RunningServer, prices: Path) -> None:
    done = absfin(server, "optimize", "--prices", str(prices), "--max-weight", "0.3", status=1)
    assert "- --min-weight/--max-weight: relaxing it alone by 0.2 is enough" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    thinned(
        [
            (("optimize",), "--symbols, --universe or --prices"),
            (("optimize", "--symbols", "P", "--objective", "luck"), "is none of"),
            (("optimize", "--symbols", "P", "--group", "sector=A:x"), "kind=name:lower:upper"),
            (("optimize", "--prices", "nowhere.csv"), "no such file"),
            (("risk", "P:1"), "no such file"),
            (("risk", "P=much"), "neither"),
            (("backtest", "--symbols", "P", "--rebalance", "sometimes"), "is neither a number of periods"),
            (
                ("backtest", "--symbols", "P", "--rebalance", "monthly:second"),
                "--rebalance: 'monthly:second' is neither",
            ),
            (("backtest", "--symbols", "P", "--flow", "monthly"), "--flow: 'monthly' is none of date:amount"),
            (("backtest", "--symbols", "P", "--flow", "2020-02-30:5"), "--flow: '2020-02-30:5' is none of"),
            (("backtest", "--symbols", "P", "--band-to", "edge"), "--band-to: needs --band"),
            (("backtest", "--symbols", "P", "--band", "0.1", "--band-to", "middle"), "--band-to: 'middle' is none of"),
            (("backtest", "--symbols", "P", "--band", "0.1", "--band-scope", "few"), "--band-scope: scope: 'few'"),
            (("backtest", "--symbols", "P", "--day-count", "act364"), "--day-count: 'act364' is none of"),
            (("backtest", "--symbols", "P", "--hurdle", "0.05"), "--hurdle: needs --performance-fee"),
            (("backtest", "--symbols", "P", "--cash-rate", "low"), "--cash-rate: no such file: low"),
            (("backtest", "--symbols", "P", "--actions", "none.csv"), "--actions: no such file"),
            (("backtest", "--symbols", "P", "--initial-holdings", "P=x"), "--initial-holdings: 'P=x' is neither"),
            (("backtest", "--symbols", "P", "--price-basis", "raw"), "--price-basis: 'raw' is none of"),
            (("backtest", "--symbols", "P", "--dividends", "no"), "--dividends: 'no' is none of"),
            (("backtest", "--symbols", "P", "--strategy", "momentum"), "--strategy: momentum needs --lookback"),
            (("backtest", "--symbols", "P", "--by", "sharpe:60"), "--by: needs --select"),
            (("backtest", "--symbols", "P", "--select", "momentum,luck"), "--strategy: momentum needs --lookback"),
            (("backtest", "--symbols", "P", "--select", "equal-weight", "--by", "sharpe"), "is not score:periods"),
            (("backtest", "--symbols", "P", "--select", "equal-weight", "--by", "luck:60"), "--by: score: 'luck'"),
            (("backtest", "--symbols", "P", "--strategy", "luck"), "--strategy: 'luck' is none of equal-weight"),
            (("backtest", "--symbols", "P", "--target-volatility", "0.1"), "--target-volatility: needs --lookback"),
            (("backtest", "--symbols", "P", "--cppi", "80"), "--cppi: '80' is not floor:multiplier"),
            (("import", "nowhere.csv"), "no such file"),
            (("import", "data/sp500_index.csv.gz", "--field", "closing"), "is none of close, open, high, low, volume"),
            (("optimize", "--symbols", "A", "--risk-measure", "beta"), "risk_measure"),
        ],
        every=6,
        several=True,
    ),
)
def test_a_wrong_option_is_an_error_of_usage(server: RunningServer, arguments: tuple[str, ...], words: str) -> None:
    done = absfin(server, *arguments, status=2)
    assert words in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("text", "words"),
    thinned(
        [
            ("date,P\n2021-01-01,1\n2021-01-02,abc", "abc"),
            ("date,P\n2021-01-01,1,2", "line 2"),
            ("date,P", "header line"),
            ("date,P\nfirst,1", "first"),
        ],
        2,
        several=True,
    ),
)
def test_a_broken_file_is_an_error_of_usage(server: RunningServer, tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(text)
    done = absfin(server, "import", str(path), status=2)
    assert words in " ".join(done.stderr.replace("│", " ").split())


RUN_BY_NO_PAGE = [
    (("actions", "list"), 0, ""),
    (("attribute", "nowhere.csv"), 2, "nowhere.csv"),
    (("charts", "backtests/none"), 1, "NOT_FOUND"),
    (("compare", "nowhere.csv"), 2, "nowhere.csv"),
    (("events", "--min-severity", "x"), 2, "none of info, warning, critical"),
    (("fills", "reallocations/none", "nowhere.csv"), 2, "nowhere.csv"),
    (("frontier", "--symbols", "NOWHERE"), 1, "MISSING_MARKET_DATA"),
    (("instruments", "list"), 0, ""),
    (("notifications", "list"), 0, ""),
    (("optimizations", "list"), 0, ""),
    (("reallocations", "list"), 0, ""),
    (("risk-model", "--symbols", "NOWHERE"), 1, "MISSING_MARKET_DATA"),
    (("tables", "backtests/none"), 1, "NOT_FOUND"),
    (("watch", "backtests/none"), 1, "NOT_FOUND"),
]
"""Commands that no page shows in a shell, how they end, and what they say: those that tests start in this process."""


@pytest.mark.parametrize(("arguments", "status", "words"), thinned(RUN_BY_NO_PAGE, 4, several=True))
def test_a_command_is_a_program_of_its_own(
    server: RunningServer, arguments: tuple[str, ...], status: int, words: str
) -> None:
    """What it loads, it loads by itself, whatever other commands have loaded before."""
    done = started(server, *arguments, status=status)
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_serve_runs_the_server_and_ends_with_it(tmp_path: Path) -> None:
    command = [ABSFIN, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert first_line(process).startswith(READY)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_serve_passes_help_and_errors_on() -> None:
    done = subprocess.run([ABSFIN, "serve", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert "--listen" in done.stdout
    wrong = subprocess.run([ABSFIN, "serve", "--workers", "0"], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert wrong.returncode != 0
    assert "ABSFIN_WORKERS" in wrong.stderr


def test_storage_is_the_command_of_the_server(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([ABSFIN, "storage", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert "copy" in run("--help").stdout
    assert "--from" in run("copy", "--help").stdout
    refused = run("copy", "--from", "embedded", "--to", "embedded")
    assert refused.returncode == 1
    assert refused.stderr == "abs-finance: storage copy: --from and --to must be two different stores\n"
    assert run("restore", str(tmp_path / "none"), "--data-dir", str(tmp_path / "new")).returncode == 1


def test_doctor_is_the_command_of_the_server() -> None:
    done = subprocess.run([ABSFIN, "doctor", "--workers", "0"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "FAILED   --workers (ABSFIN_WORKERS) must be a whole number" in done.stdout


@pytest.mark.parametrize("objective", thinned(["kelly", "hierarchical", "relaxed-risk-budget"], 3))
def test_further_objectives_by_name(server: RunningServer, prices: Path, objective: str) -> None:
    found = as_json(server, "optimize", "--prices", str(prices), "--objective", objective)
    assert sum(one.get("weight", 0.0) for one in found["weights"]) == pytest.approx(1.0)


def test_several_portfolios_share_what_is_traded(server: RunningServer, prices: Path) -> None:
    absfin(server, "import", str(prices))
    with Client(server.address) as client:
        client.create_portfolio(Holdings({"P": 10.0}).to_proto(), "cli-sells")
        client.create_portfolio(Holdings({"Q": 10.0}).to_proto(), "cli-buys")
    names = ("portfolios/cli-sells", "portfolios/cli-buys", "portfolios/cli-none")
    command = ("reallocate-batch", *names[:2], "--target", "P=0.5,Q=0.5", "--cost-bps", "5")
    shared = ("--allow-crossing", "--max-participation", "0.1", "--allocation", "max_min", "--json")
    found = [json.loads(line) for line in absfin(server, *command, *shared).stdout.splitlines()]
    trades = {one["key"]: {t["symbol"]: t for t in one["result"]["plan"]["trades"]} for one in found}
    for symbol in "PQ":
        crossed = [trades[name][symbol]["crossedQuantity"] for name in names[:2]]
        assert sum(crossed) == 0
        assert all(crossed)
    assert "crossed" in absfin(server, *command, "--allow-crossing").stdout
    unknown = as_json(server, "reallocate-batch", names[2], "--target", "P=1", "--symbols", "P")
    assert (unknown["key"], unknown["error"]["code"]) == (names[2], grpc.StatusCode.NOT_FOUND.value[0])
    assert next(one.get("reason") for one in unknown["error"]["details"]) == "NOT_FOUND"
    absfin(server, *command, "--allocation", "best", status=2)


def test_taxes_of_a_reallocation(server: RunningServer, prices: Path) -> None:
    absfin(server, "import", str(prices))
    lot = TaxLot(10.0, 20.0, date(2019, 1, 2), "a")
    with Client(server.address) as client:
        client.create_portfolio(Holdings({"P": 10.0}, 0.0, {"P": [lot]}).to_proto(), "cli-tax")
    arguments = ("reallocate", "P=0.5", "--portfolio", "portfolios/cli-tax")
    answer = as_json(server, *arguments, "--tax", "tax-optimal", "--tax-rates", "0.37,0.2")
    (sale,) = answer["plan"]["trades"][0]["lots"]
    assert (sale["lotId"], sale["quantity"], sale["term"]) == ("a", 5.0, "TERM_LONG")
    assert answer["summary"]["tax"] == pytest.approx(0.2 * sale["gain"], rel=1e-12)
    assert "tax" in absfin(server, *arguments, "--tax", "fifo", "--tax-rates", "0.37,0.2").stdout
    none = as_json(server, *arguments, "--tax", "fifo", "--gain-budget", "0", "--forbid-wash-sales")
    assert none["failure"]["reason"] == "NOTHING_TRADABLE"
    wrong_ones = (("--gain-budget", "1"), ("--tax", "best"), ("--tax", "fifo", "--tax-rates", "0.3"))
    for wrong in (*wrong_ones, ("--harvest", "P=Q"), ("--tax", "fifo", "--harvest", "P")):
        absfin(server, *arguments, *wrong, status=2)


def test_losses_are_harvested_and_tax_is_weighed(server: RunningServer, prices: Path) -> None:
    absfin(server, "import", str(prices))
    dear, cheap = TaxLot(10.0, 1000.0, date(2019, 1, 2), "dear"), TaxLot(10.0, 0.01, date(2019, 1, 2), "cheap")
    with Client(server.address) as client:
        client.create_portfolio(Holdings({"P": 10.0}, 0.0, {"P": [dear]}).to_proto(), "cli-loss")
        client.create_portfolio(Holdings({"P": 10.0}, 0.0, {"P": [cheap]}).to_proto(), "cli-gain")
    rates = ("--tax", "hifo", "--tax-rates", "0.37,0.2")
    arguments = ("reallocate", "P=1", "--portfolio", "portfolios/cli-loss", *rates, "--harvest", "P=Q")
    answer = as_json(server, *arguments)
    sale, purchase = answer["plan"]["trades"]
    assert (sale["symbol"], sale["quantity"], sale["harvestedQuantity"]) == ("P", -10.0, 10.0)
    assert (purchase["symbol"], purchase["substituteFor"]) == ("Q", ["P"])
    shown = absfin(server, *arguments).stdout
    assert "step 1 sells 10 units of P to realise a loss" in shown
    assert "step 2 buys Q instead of P" in shown
    arguments = ("reallocate", "P=0.5", "--portfolio", "portfolios/cli-gain")
    assert "unchanged" in as_json(server, *arguments, *rates, "--tax-aversion", "5")
    refused = absfin(server, *arguments, "--tax", "fifo", "--tax-aversion", "5", status=1)
    assert "trade_off.tax_aversion" in refused.stderr + refused.stdout


def test_attribution_of_tables_and_of_a_backtest(server: RunningServer, prices: Path, tmp_path: Path) -> None:
    """The first quarter of Bacon's tables: 0, -1.04 and -0.16 % by allocation, 4, -0.3 and -0.6 % by selection."""
    tables = {"wp": "0.4,0.3,0.3", "wb": "0.4,0.2,0.4", "rp": "0.2,-0.05,0.06", "rb": "0.1,-0.04,0.08"}
    files = []
    for name, row in tables.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(f"date,UK,Japan,US\n2020-03-31,{row}\n")
        files.append(str(path))
    shown = absfin(server, "attribute", *files).stdout
    assert all(figure in shown for figure in ("-1.0400 %", "4.0000 %", "excess return 1.9000 %"))
    answer = as_json(server, "attribute", *files, "--model", "brinson-hood-beebower", "--separate-interaction")
    assert answer["groups"][2]["interaction"] == pytest.approx(0.002)
    text = absfin(
        *(server, "backtest", "--prices", str(prices), "--attribute", "asset", "--linking", "grap"),
        *("--benchmark-weights", "P=0.5,Q=0.5", "--weights", "P=0.8,Q=0.2", "--cost-bps", "10"),
    ).stdout
    assert all(word in text for word in ("allocation", "costs", "excess return over benchmark"))
    assert "none of" in absfin(server, "attribute", *files, "--linking", "x", status=2).stderr
    refused = absfin(server, "backtest", "--prices", str(prices), "--attribute", "sector", status=1)
    assert "has a label of the kind sector" in refused.stderr
