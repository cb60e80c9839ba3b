"""The command `absfin`: its commands by name, each loaded when it is run.

Loading all of them, with the client and what they print with, takes six times as long as printing the help.
"""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from absfin.cli.connection import connection_options

COMMANDS = {
    "serve": ("serve_command:serve", "Run the server; all options go to it"),
    "ping": ("ping_command:ping", "Check the server and its time to answer"),
    "import": (
        "import_command:import_prices",
        "Store a CSV file of prices: a date column first, then one column for each symbol",
    ),
    "instruments": ("instruments_commands:instruments", "Instruments stored by the server"),
    "prices": ("prices_commands:prices", "Prices stored by the server"),
    "optimize": ("optimize_command:optimize", "Optimise weights"),
    "optimize-batch": ("optimize_batch_command:optimize_batch", "Optimise many accounts over the same data"),
    "frontier": ("frontier_command:frontier", "Trace the efficient frontier"),
    "optimizations": ("optimizations_commands:optimizations", "Optimisations stored by the server"),
    "risk": ("risk_command:risk", "Report the risk of constant weights"),
    "risk-model": ("risk_model_command:risk_model", "Estimate expected returns and covariance"),
    "backtest": ("backtest_command:backtest", "Simulate a strategy"),
    "backtests": ("backtests_commands:backtests", "Backtests stored by the server"),
    "sweep": ("sweep_command:sweep", "Backtest every combination of parameters"),
    "attribute": ("attribution_command:attribute", "Divide an excess return"),
    "compare": ("compare_command:compare", "Test whether strategies beat a benchmark"),
    "watch": ("watch_command:watch", "Follow a backtest to its end, also across a restart of the server"),
    "reallocate": ("reallocate_command:reallocate", "List the trades to target weights at stored prices"),
    "reallocations": ("reallocations_commands:reallocations", "Reallocations stored by the server"),
    "reallocate-batch": ("batch_command:reallocate_batch", "List the trades of several stored portfolios"),
    "fills": ("fills_command:fills", "Record what was traded"),
    "liquidity": ("liquidity_command:liquidity", "Say whether trades can be done by the stored volumes"),
    "charts": ("charts_command:charts", "Print charts of a stored result as Vega-Lite specifications"),
    "tables": (
        "charts_command:tables",
        "Print returns by month and year, the best and worst ones, and over moving years",
    ),
    "report": ("report_command:report", "Write a tear sheet of a stored result"),
    "doctor": ("doctor_command:doctor", "Say what is wrong with the server's settings and what they name"),
    "storage": ("storage_command:storage", "Back up, restore or copy a store; all options go to the server's command"),
    "server": ("server_command:server", "What the server is, what a caller uses of it, and its end"),
    "keys": ("keys_command:keys", "API keys that callers of the server authenticate with"),
    "portfolio": ("portfolio_commands:portfolios", "Portfolios stored by the server"),
    "events": (
        "events_command:events",
        "Follow signals, recomputations and notifications, also across a restart of the server",
    ),
    "notifications": ("notifications_commands:notifications", "Notifications: signals that somebody is told"),
    "mcp": ("mcp_command:mcp", "Offer tools to a language model over MCP on standard input and output"),
    "actions": ("actions_commands:actions", "Splits, dividends and delistings stored by the server"),
}
"""Where each command is, and what it does in a few words: the beginning of its own help."""


def load(home: str) -> Any:
    """The click command of a function or a group: "module:name" in this package."""
    module, _, name = home.partition(":")
    found = getattr(import_module(f"absfin.cli.{module}"), name)
    if isinstance(found, typer.Typer):
        return get_command(found)
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command()(found)
    return get_command(single)


class LoadedWhenRun(TyperCommand):
    """A command of which only name and help are known until it is run."""

    def __init__(self, name: str, home: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._home = home

    def make_context(self, *given: Any, **named: Any) -> Any:
        """The context of the command itself, which is loaded now."""
        return load(self._home).make_context(*given, **named)


class Commands(TyperGroup):
    """All commands. Its help is plain text: what draws boxes takes longer to load than everything else."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "rich_markup_mode": None})
        for name, (home, summary) in COMMANDS.items():
            self.add_command(LoadedWhenRun(name, home, summary))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the list; click would cut what does not fit on a line."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help or "") for name, command in self.commands.items()])


app = typer.Typer(
    cls=Commands,
    callback=connection_options,
    help="Portfolio optimisation, risk, backtests and trade lists through an abs-finance server.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
