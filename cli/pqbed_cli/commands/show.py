from pqbed_cli.options import AnyPercentile, Json, MarginOption, RunPath, RunsFolder


def show(
    run: RunPath,
    percentile: AnyPercentile = "50,90",
    margin: MarginOption = "1%",
    out: RunsFolder = "results",
    json_output: Json = False,
) -> None:
    """Show the table of a run, also of one that is still measured or was interrupted."""
    from pqbed.stats.classify import parse_margin
    from pqbed.stats.percentiles import parse_percentiles
    from pqbed.store.run import open_run
    from pqbed_cli.reporting import report_run
    from pqbed_cli.runs import find_run

    percentiles, least = parse_percentiles(percentile), parse_margin(margin)
    with open_run(find_run(run, out)) as opened:
        report_run(opened, percentiles, json_output=json_output, margin=least)
