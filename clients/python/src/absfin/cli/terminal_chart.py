"""A line chart in the characters of a terminal."""

from shutil import get_terminal_size

from uniplot import plot_to_string

from absfin.data import Panel

COLUMNS, LINES = 72, 14  # of the plotted area
BESIDE = 12  # columns for the frame and the labels of the vertical axis


def line_chart(panel: Panel, title: str, *, colored: bool) -> str:
    """Each column of a panel as a line over its dates. Lines are told apart by colour, where there are colours."""
    text: str = plot_to_string(
        xs=[panel.dates.astype("datetime64[D]")] * len(panel.symbols),
        ys=[panel.values[:, column] for column in range(len(panel.symbols))],
        lines=True,
        title=title,
        width=min(COLUMNS, max(20, get_terminal_size().columns - BESIDE)),
        height=LINES,
        color=colored,
        legend_labels=list(panel.symbols) if len(panel.symbols) > 1 else None,
    )
    return text
