"""What the pages say is true: calls, examples, tables, links."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from absfinance.v1 import (
    admin_service_pb2,
    backtest_service_pb2,
    event_service_pb2,
    liquidity_service_pb2,
    market_data_service_pb2,
    optimization_service_pb2,
    portfolio_service_pb2,
    reallocation_service_pb2,
    risk_service_pb2,
    strategy_service_pb2,
)
from google.protobuf.descriptor import MethodDescriptor
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from domain import errors as domain
from server.app import SERVICE_NAMES
from tests.conftest import ROOT, RunningServer
from tests.fuzzing.contract import ENDS_THE_SERVER

PAGES = sorted(path for path in ROOT.rglob("*.md") if not {".venv", "node_modules", ".pytest_cache"} & set(path.parts))
MODULES = (
    admin_service_pb2,
    backtest_service_pb2,
    event_service_pb2,
    liquidity_service_pb2,
    market_data_service_pb2,
    optimization_service_pb2,
    portfolio_service_pb2,
    reallocation_service_pb2,
    risk_service_pb2,
    strategy_service_pb2,
)
METHODS: dict[str, MethodDescriptor] = {
    f"{service.name}/{method.name}": method
    for module in MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


CALLED = (
    "README.md",
    "docs/cookbook.md",
    "docs/optimization.md",
    "docs/risk.md",
    "docs/attribution.md",
    "docs/backtesting.md",
    "docs/charts.md",
    "docs/validation.md",
    "docs/reallocation.md",
    "docs/sweeps.md",
)
"""Pages that show calls, in the order in which they are run."""


SECOND_TOOL = [pytest.mark.long] if shutil.which("grpcurl") else []


@pytest.mark.parametrize("tool", [pytest.param("buf", marks=SECOND_TOOL), "grpcurl"])
def test_the_calls_of_the_pages_answer_what_they_show(fresh_sample_server: RunningServer, tool: str) -> None:
    if tool == "grpcurl" and not shutil.which("grpcurl"):
        pytest.skip("grpcurl is not installed; the same requests went through buf curl")
    command = [sys.executable, "scripts/documented_calls.py", fresh_sample_server.address, "--tool", tool, *CALLED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("true") >= 48


def test_every_page_with_calls_is_compared() -> None:
    assert {path for path in PAGES if "```sh\ngrpcurl " in path.read_text()} == {ROOT / name for name in CALLED}


SHOWN_WITHOUT_A_CALL = {
    "AdminService/Drain",  # no call after it is answered: docs/operations.md, tests/e2e/test_operation.py
    "EventService/WatchEvents",  # never ends
    "EventService/AcknowledgeNotification",
    "EventService/RedeliverNotification",  # of a notification, which there is not
}
"""Explained in docs/events.md, and called by tests/e2e/test_watch_events.py."""


def test_every_method_that_works_is_called_on_a_page() -> None:
    shown = {name for page in CALLED for name in re.findall(r"absfinance\.v1\.(\w+/\w+)", (ROOT / page).read_text())}
    assert {name for name, state in _table().items() if state == "works"} == shown | SHOWN_WITHOUT_A_CALL


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 250


def test_the_calls_of_the_readme_and_the_cookbook_run_in_one_shell_as_they_stand(sample_server: RunningServer) -> None:
    """Pasted into one shell; only the address is that of this server."""
    if not shutil.which("grpcurl"):
        pytest.skip("grpcurl is not installed; the same requests went through buf curl")
    text = (ROOT / "README.md").read_text() + (ROOT / "docs/cookbook.md").read_text()
    blocks = re.findall(r"```sh\n((?:etag=|key=|grpcurl ).*?)\n```", text, re.DOTALL)
    assert len(blocks) >= 34
    script = "\n".join(blocks).replace("127.0.0.1:50051", sample_server.address)
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr


def test_the_comparison_of_calls_can_fail(sample_server: RunningServer, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    call = 'grpcurl -plaintext -d \'{"group": "a=b"}\' here:1 absfinance.v1.MarketDataService/ListInstruments'
    for shown, status in (("{}", 0), ('{"name": "x"}', 1), ('{"instruments": []}', 1)):
        assert _compared(sample_server, page, call, shown) == status


def test_a_shortened_output_is_compared_in_what_it_shows(sample_server: RunningServer, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    call = (
        'grpcurl -plaintext -d \'{"group": "sector=Energy", "pageSize": 1}\' '
        "here:1 absfinance.v1.MarketDataService/ListInstruments"
    )
    cases = (
        ('{"instruments": [{"groups": {"sector": "Energy", ...}, ...}]}', 1),  # there is no other group
        ('{"instruments": [{"symbol": "CVX", "groups": {"sector": "Energy"}, ...}]}', 0),
        ('{"instruments": [{"symbol": "XOM", ...}]}', 1),
        ('{"instruments": [{"symbol": "CVX"}]}', 1),
        ('{"instruments": [{"symbol": "CVX", "rank": 1, ...}]}', 1),
    )
    for shown, status in cases:
        assert _compared(sample_server, page, call, shown) == status, shown


def _compared(server: RunningServer, page: Path, call: str, shown: str) -> int:
    page.write_text(f"```sh\n{call}\n```\n\n```json\n{shown}\n```\n")
    command = [sys.executable, "scripts/documented_calls.py", server.address, str(page)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60).returncode


def test_the_python_of_the_readme_runs(sample_server: RunningServer) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    program = block.replace("127.0.0.1:50051", sample_server.address)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "JNJ" in done.stdout


DESK = ROOT / "clients/python/examples/liquidity_desk.py"
PUBLISHED = ROOT / "clients/python/examples/published_price.py"
EXAMPLES = sorted(set((ROOT / "clients/python/examples").glob("*.py")) - {DESK, PUBLISHED})


def test_the_desk_prints_what_the_docs_show(start_server: Callable[..., RunningServer], free_target: str) -> None:
    """A server of its own: one that asks a desk plans nothing while that is not there."""
    running = start_server("--workers", "1", "--liquidity-target", free_target)
    command = [sys.executable, str(DESK), running.address, free_target]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (ROOT / "docs/examples/liquidity_desk.txt").read_text()
    assert done.stdout in (ROOT / "docs/reallocation.md").read_text()


def test_a_published_price_makes_the_plan_that_the_docs_show(start_server: Callable[..., RunningServer]) -> None:
    """A server of its own: the program stores prices. A second time it tells the same, of a later portfolio."""
    running = start_server("--workers", "1")
    shown = (ROOT / "docs/examples/published_price.txt").read_text()
    for _ in range(2):
        command = [sys.executable, str(PUBLISHED), running.address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert done.stdout == shown
    assert shown in (ROOT / "docs/events.md").read_text()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_print_what_the_docs_show(sample_server: RunningServer, strategy_target: str, path: Path) -> None:
    served = [strategy_target] if path.stem == "remote_strategy" else []
    done = subprocess.run(
        [sys.executable, str(path), sample_server.address, *served], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (ROOT / f"docs/examples/{path.stem}.txt").read_text()


def test_every_method_is_in_the_table() -> None:
    assert set(_table()) == set(METHODS)
    assert {f"absfinance.v1.{name.split('/')[0]}" for name in METHODS} == set(SERVICE_NAMES)


def _table() -> dict[str, str]:
    text = (ROOT / "docs/api.md").read_text()
    return {name: state for name, _, state in re.findall(r"^\| `(\w+/\w+)` \| ([\w ]+) \| ([\w ]+) \|$", text, re.M)}


@pytest.mark.parametrize("name", sorted(METHODS))
def test_the_table_says_which_method_answers(channel: grpc.Channel, name: str) -> None:
    method = METHODS[name]
    if method.name in ENDS_THE_SERVER:
        assert _table()[name] == "works"  # tests/e2e/test_operation.py calls it, of a server of its own
        return
    shape = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
    call = getattr(channel, shape)(f"/absfinance.v1.{name}")
    reason = "answered"
    try:
        answer = call(iter([b""]) if method.client_streaming else b"", timeout=20)
        if method.server_streaming:
            next(answer, None)  # one that follows never ends by itself
            answer.cancel()
    except grpc.RpcError as error:
        packed = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
        info = ErrorInfo()
        Status.FromString(packed).details[0].Unpack(info)
        reason = info.reason
    assert (reason == "METHOD_NOT_BUILT") == (_table()[name] == "not built"), reason


def test_every_reason_of_the_domain_is_explained() -> None:
    text = (ROOT / "docs/api.md").read_text()
    kinds = [k for k in vars(domain).values() if isinstance(k, type) and issubclass(k, domain.DomainError)]
    public = {kind.REASON for kind in kinds} - {domain.DomainError.REASON, domain.Cancelled.REASON}
    assert len(public) > 5
    assert {reason for reason in public if f"`{reason}`" not in text} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


BACKTEST = (
    ".venv/bin/absfin backtest --symbols AAPL,JNJ,XOM --strategy min-risk --lookback 252 --cost-bps 10 "
    "--benchmark SP500"
)
ACCOUNT = (
    ".venv/bin/absfin backtest --symbols AAPL,JNJ,XOM --capital 100000 --band 0.05 --band-to edge --flow monthly:1000 "
    "--fee 0.01"
)
VALIDATE = ".venv/bin/absfin backtest --symbols AAPL,JNJ,XOM --benchmark SP500 --validate --timing-luck 3"
REALLOCATE = ".venv/bin/absfin reallocate AAPL=0.5,XOM=0.5 --holdings AAPL=100 --cash 500 --days 5 --buy-only"
SWEEP = (
    "absfin sweep --symbols AAPL,JNJ,XOM --strategy momentum --lookback 120 --top 1 --axis costs.commission_bps=0,10 "
    "--score calmar"
)
SELECT = (
    "absfin backtest --symbols AAPL,JNJ,XOM --select equal-weight,inverse-volatility,momentum --lookback 120 --top 1 "
    "--by sharpe:250:20"
)
SURFACE = "absfin charts sweeps/lookbacks --chart sweep_surface"
# Every other command that a page shows, and what runs it.
RUN_BY: dict[str, str] = {
    "scripts/demo": ".ci/run",
    "scripts/test": ".ci/run",
    "scripts/load_sample_data": "tests/conftest.py",
    ".venv/bin/absfin serve": "tests/clients/python/test_cli.py",
    ".venv/bin/absfin optimize --symbols AAPL,JNJ,XOM --max-weight 0.5": "tests/docs/test_pages.py",
    BACKTEST: "tests/docs/test_pages.py",
    SURFACE: "tests/clients/python/test_charts.py",
    ACCOUNT: "tests/docs/test_pages.py",
    VALIDATE: "tests/docs/test_pages.py",
    SELECT: "tests/docs/test_pages.py",
    SWEEP: "tests/docs/test_pages.py",
    ".venv/bin/absfin compare returns.csv --benchmark SP500": "tests/clients/python/test_cli.py",
    REALLOCATE: "tests/docs/test_pages.py",
    ".venv/bin/absfin fills reallocations/mine fills.csv": "tests/clients/python/test_cli.py",
    ".venv/bin/absfin risk AAPL=0.5,XOM=0.5 --benchmark SP500 --stress all": "tests/docs/test_pages.py",
}


RUN_WHOLE = {
    ROOT / "docs/command-line.md": "tests/docs/test_command_line_page.py",
    ROOT / "docs/identity.md": "tests/docs/test_identity_page.py",
    ROOT / "docs/storage.md": "tests/server/storage/test_backup.py",
    ROOT / "docs/supabase.md": "tests/docs/test_supabase_page.py",
    ROOT / "docs/web.md": "tests/docs/test_web_page.py",
    ROOT / "docs/reports.md": "tests/clients/python/reports/test_documented.py",
    ROOT / "clients/go/README.md": "tests/clients/go/test_readme.py",
    ROOT / "clients/java/README.md": "tests/clients/java/test_readme.py",
    ROOT / "clients/python/README.md": "tests/clients/python/test_readme.py",
    ROOT / "clients/typescript/README.md": "tests/clients/typescript/test_readme.py",
    ROOT / "clients/web/README.md": "tests/clients/web/conftest.py",
}
"""Pages whose commands build on each other, and what runs them in their order."""


def test_every_command_shown_is_run_by_a_test() -> None:
    assert all(page.name in (ROOT / where).read_text() for page, where in RUN_WHOLE.items())
    shown = {
        line
        for page in PAGES
        if page not in RUN_WHOLE
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
        if not block.startswith(("grpcurl", "etag=", "key=", "curl ", "printf "))
        for line in block.strip().splitlines()
    }
    assert shown == set(RUN_BY)
    for command, where in RUN_BY.items():
        words = command.removeprefix(".venv/bin/absfin ").split()
        assert words[0] in (ROOT / where).read_text(), command


@pytest.mark.parametrize(
    "command", [command for command, where in RUN_BY.items() if where == "tests/docs/test_pages.py"]
)
def test_the_commands_of_the_readme(sample_server: RunningServer, command: str) -> None:
    words = command.split()
    words[0] = str(Path(sys.executable).with_name("absfin"))
    done = subprocess.run([*words, "--server", sample_server.address], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_pages_name_no_machine() -> None:
    for page in PAGES:
        assert "/work/" not in page.read_text(), page
