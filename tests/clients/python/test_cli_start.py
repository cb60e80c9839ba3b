"""How the command line starts: what its help says and what it loads."""

import json
import subprocess
import sys

import absfin
import pytest
from absfin.cli.app import COMMANDS, load

SLOW = ("grpc", "numpy", "pandas", "google.protobuf", "rich", "absfinance")
"""Each takes longer to load than the help to print."""

REPORT = """
import contextlib, io, json, sys
from absfin.cli import main
output = io.StringIO()
with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), contextlib.suppress(SystemExit):
    sys.argv = ["absfin", *sys.argv[1:]]
    main()
print(json.dumps([output.getvalue(), sorted(sys.modules)]))
"""


def started(*arguments: str) -> tuple[str, set[str]]:
    done = subprocess.run([sys.executable, "-c", REPORT, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    output, modules = json.loads(done.stdout)
    return output, set(modules)


@pytest.mark.parametrize("arguments", [("--help",), ()], ids=["help", "nothing"])
def test_the_help_is_printed_without_loading_the_client(arguments: tuple[str, ...]) -> None:
    output, modules = started(*arguments)
    assert not modules & set(SLOW)
    assert all(f"  {name} " in output for name in COMMANDS)
    assert "..." not in output.replace("COMMAND [ARGS]...", "")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_there_and_its_help_begins_as_the_list_says(name: str) -> None:
    home, summary = COMMANDS[name]
    assert load(home).help.startswith(summary)


def test_the_package_has_all_its_names_and_no_others() -> None:
    assert all(getattr(absfin, name) is not None for name in absfin.__all__)
    assert set(absfin.__all__) <= set(dir(absfin))
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        _ = absfin.nothing_of_that_name  # type: ignore[attr-defined]


def test_a_name_is_loaded_from_where_it_is_defined() -> None:
    show = "print('absfin.constraints' in sys.modules, 'absfin.client' in sys.modules)"
    probe = f"import sys, absfin; absfin.weight_bounds; {show}"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True", "False"]
