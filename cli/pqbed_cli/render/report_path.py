"""Where a report was written."""

from pqbed.report.written_files import Written
from pqbed_cli.render.streams import echo


def print_written(written: Written) -> None:
    if written.figures:
        echo(f"figures: {written.figures[0].parent} ({len(written.figures)} files)")
    echo(f"report: {written.page}")
