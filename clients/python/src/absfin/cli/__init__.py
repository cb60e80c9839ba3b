"""`absfin`: the engine from a terminal. Tables for people, `--json` for scripts."""

import sys


def main() -> None:
    """Entry point of the `absfin` command."""
    try:
        import typer  # noqa: F401  # only for a clear message if it is missing
    except ImportError:
        sys.exit("absfin: the command line needs typer and rich: pip install 'absfin[cli]'")
    from absfin.cli.app import app

    app()
