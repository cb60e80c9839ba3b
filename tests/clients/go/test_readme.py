"""The README of the client of Go: its commands, from an empty folder beside a clone."""

import re
import subprocess
from pathlib import Path

from tests.clients.go.conftest import ROOT, GoClient
from tests.conftest import RunningServer

README = ROOT / "clients/go/README.md"


def test_every_command_works(server: RunningServer, go_client: GoClient, tmp_path: Path) -> None:
    (tmp_path / "abs-finance/clients").mkdir(parents=True)
    (tmp_path / "abs-finance/clients/go").symlink_to(go_client.module)
    # `cd ..` follows the path as it was entered, not where the link leads.
    commands = "".join(re.findall(r"^```sh\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL))
    assert commands.count("127.0.0.1:50051") == 2
    script = "set -e\n" + commands.replace("127.0.0.1:50051", server.address)
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "simulating equal_weight" in lines
    assert "BACKTEST_STATE_SUCCEEDED" in lines
    assert lines[-1] == "return 0.180 and volatility 0.671 a year, solved by daqp"


def test_its_go_code_compiles(go_client: GoClient) -> None:
    """The block of errors is a part of a function."""
    (block,) = re.findall(r"^```go\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    folder = go_client.module / "readme"
    folder.mkdir()
    folder.joinpath("main.go").write_text(
        'package main\n\nimport (\n"context"\n"errors"\n"fmt"\n'
        'absfin "example.com/abs-finance/clients/go"\n'
        'absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"\n)\n'
        "func main() {}\n"
        "func Handle(ctx context.Context, client *absfin.Client, request *absfinancev1.OptimizeRequest) {\n"
        + block
        + "}\n"
    )
    go_client.run("go", "vet", "./readme", seconds=120.0)
