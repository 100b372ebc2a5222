from typing import Annotated

import typer

from pqbed_cli import options


def compare(
    run_a: Annotated[str, typer.Argument(metavar="RUN_A", help="The folder of the run to compare with.")],
    run_b: Annotated[str, typer.Argument(metavar="RUN_B", help="The folder of the other, or latest.")],
    across: Annotated[
        str,
        typer.Option(metavar="NAME,...", help="Compare although these differ: bed, clock, kernel, images."),
    ] = "",
    percentile: options.AnyPercentile = "50,90",
    margin: options.MarginOption = "1%",
    out: options.RunsFolder = "results",
    json_output: options.Json = False,
) -> None:
    """Say cell by cell how much slower RUN_B is than RUN_A, with 95 % intervals."""
    from pqbed.stats.classify import parse_margin
    from pqbed.stats.compare import compare_runs
    from pqbed.stats.percentiles import parse_percentiles
    from pqbed.store.run import open_run
    from pqbed_cli.render.compare import print_comparison
    from pqbed_cli.render.output import print_json, say
    from pqbed_cli.render.summary import wrong_link_lines
    from pqbed_cli.runs import find_run

    percentiles, least = parse_percentiles(percentile), parse_margin(margin)
    allowed = [name.strip() for name in across.split(",") if name.strip()]
    with open_run(find_run(run_a, out)) as a, open_run(find_run(run_b, out)) as b:
        found = compare_runs(a, b, percentiles, across=allowed, margin=least)
        if json_output:
            sides = {"a": str(a.path), "b": str(b.path), "across": allowed, "margin": str(least)}
            print_json({**sides, "cells": found.to_dicts()})
        else:
            print_comparison(a.path, b.path, found.to_dicts(), least)
        for run in (a, b):
            for line in wrong_link_lines(run.cells().collect().to_dicts()):
                say(f"wrong link in {run.path}: {line}", json_output=json_output)
