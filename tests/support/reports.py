"""What the fixtures of the report give: makers of runs, and of what a report reads from one."""

from collections.abc import Callable

from pqbed.report.report_data import ReportData
from pqbed.store.run_directory import Run

MakeRun = Callable[..., Run]
MeasuredOf = Callable[..., ReportData]
