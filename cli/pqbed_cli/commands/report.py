from typing import Annotated

import typer

from pqbed_cli import options


def report(
    run: options.RunPath,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    baseline: options.Baseline = None,
    percentile: options.AnyPercentile = "50,75,90",
    margin: options.MarginOption = "1%",
    out: options.RunsFolder = "results",
) -> None:
    """Write the report of a run into its folder: one page that opens without a network, and its figures."""
    from pqbed.report.write import write_report
    from pqbed.reproduce import is_study, read_study, write_study_report
    from pqbed.stats.classify import parse_margin
    from pqbed.stats.percentiles import parse_percentiles
    from pqbed.store.run import open_run
    from pqbed_cli.render.output import say
    from pqbed_cli.runs import find_run, show_page

    percentiles, least = parse_percentiles(percentile), parse_margin(margin)
    with open_run(find_run(run, out)) as opened:
        if is_study(opened.path):
            written = write_study_report(opened, read_study(opened.path).study).written
        else:
            written = write_report(opened, baseline=baseline, percentiles=percentiles, margin=least)
    if written.figures:
        say(f"figures: {written.figures[0].parent} ({len(written.figures)} files)")
    say(f"report: {written.page}")
    if open_page:
        show_page(written.page)
