"""Tear sheets: one file with figures, charts and tables of a stored result, as HTML, PDF or PNG.

`document` says what a report consists of; `backtests`, `optimizations`, `risk` and `reallocations` build one from an
answer of the server; `html` and `pages` write it, `drawing` turns chart specifications into pictures. No network is
needed to write or to read a report. Begin with `output`.
"""

from absfin.reports.document import Report
from absfin.reports.output import FORMATS, UnsupportedFormat, write_report

__all__ = ["FORMATS", "Report", "UnsupportedFormat", "write_report"]
