"""Attribution and statistical validation in the tear sheet of a backtest."""

from absfin.attribution import PathAttribution
from absfin.formatting import in_words, number, percent
from absfin.reports.document import Block, Figure, Figures, Table
from absfin.reports.remarks import not_defined
from absfin.significance import StatisticalValidation

METHODS = {"lo_2002": "Lo 2002", "mertens_2002": "Mertens 2002"}
"""Methods whose names are those of people."""


def attribution_tables(attribution: PathAttribution | None) -> tuple[Block, ...]:
    """A table for each kind of labels; nothing where the backtest was not attributed."""
    if attribution is None:
        return ()
    over = f"Excess return over {attribution.benchmark}" if attribution.benchmark else "Return"
    tables = [
        Table(
            ("segment", "contribution"),
            (
                *((segment.name, percent(segment.contribution)) for segment in segments),
                ("total", percent(attribution.excess_return)),
            ),
            f"{over} by {in_words(kind)}",
        )
        for kind, segments in attribution.levels.items()
    ]
    absent = not_defined(attribution.undefined)
    return (*tables, *([absent] if absent else []))


def validation_blocks(validation: StatisticalValidation | None) -> tuple[Block, ...]:
    """How far the Sharpe ratio can be trusted; nothing where it was not asked for."""
    if validation is None:
        return ()
    shown = {
        "probability that the Sharpe ratio is above 0": percent(validation.probabilistic_sharpe),
        "minimum track record, periods": number(validation.minimum_track_record_periods),
        "expected maximum drawdown": percent(validation.expected_max_drawdown),
        "p-value of equal sub-periods": number(validation.sub_period_p_value),
        "mean block length, periods": number(validation.block_length),
    }
    figures = Figures(tuple(Figure(label, value) for label, value in shown.items() if value != "-"))
    blocks = (figures, _intervals(validation), _differences(validation), _sub_periods(validation), _luck(validation))
    absent = not_defined(validation.undefined)
    return (*(block for block in blocks if block is not None), *([absent] if absent else []))


def _intervals(validation: StatisticalValidation) -> Table | None:
    rows = tuple(
        (METHODS.get(method, in_words(method)), number(lower), number(upper))
        for method, (lower, upper) in validation.sharpe_intervals.items()
    )
    return Table(("method", "lower", "upper"), rows, "Intervals of the annual Sharpe ratio") if rows else None


def _differences(validation: StatisticalValidation) -> Table | None:
    rows = tuple(
        (label, number(one.difference, 5), number(one.standard_error, 5), number(one.p_value))
        for label, one in validation.sharpe_differences.items()
    )
    if not rows:
        return None
    header = ("benchmark", "difference", "standard error", "p-value")
    return Table(header, rows, "Sharpe ratio per period less that of each benchmark")


def _sub_periods(validation: StatisticalValidation) -> Table | None:
    rows = tuple((f"{start} to {end}", number(sharpe)) for start, end, sharpe in validation.sub_periods)
    return Table(("dates", "Sharpe ratio, annual"), rows, "Sub-periods") if rows else None


def _luck(validation: StatisticalValidation) -> Table | None:
    rows = tuple((f"{offset}", percent(outcome)) for offset, outcome in validation.timing_luck.items())
    return Table(("dates later", "total return"), rows, "Luck in the dates of rebalancing") if rows else None
