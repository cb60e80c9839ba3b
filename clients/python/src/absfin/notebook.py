"""How results show themselves in a notebook: the figures and tables of their reports.

Imported by the results themselves when they are shown, as reports are built from results.
"""

from html import escape

from absfin.backtest_results import Backtest
from absfin.reports.backtests import backtest_report
from absfin.reports.html import fragment_of
from absfin.reports.optimizations import optimization_report
from absfin.reports.reallocations import reallocation_report
from absfin.reports.risk import risk_report
from absfin.results import Optimization, Reallocation
from absfin.risk_report import RiskReport

Result = Backtest | Optimization | Reallocation | RiskReport


def html_of_result(result: Result) -> str:
    """An HTML fragment."""
    match result:
        case Backtest() if not result.strategies:
            state = f"{result.state}: {result.error}" if result.error else f"{result.state}, {result.fraction:.0%} done"
            return f"<p>{escape(result.name)} {escape(state)}</p>"
        case Backtest():
            return fragment_of(backtest_report(result, {}))
        case Optimization():
            return fragment_of(optimization_report(result, {}))
        case Reallocation():
            return fragment_of(reallocation_report(result, {}))
        case RiskReport():
            return fragment_of(risk_report(result, {}))
