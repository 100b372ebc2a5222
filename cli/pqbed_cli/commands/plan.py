import typer

from pqbed_cli.options import AMOUNT, AXES, EACH_FETCH, LANES, PLACE, START, Json, takes


@takes(AXES, AMOUNT, EACH_FETCH, LANES, PLACE, START)
def plan(
    context: typer.Context,
    json_output: Json = False,
) -> None:
    """Say what `sweep` with the same options would do: cells, samples, estimated time. Starts and writes nothing."""
    from pqbed_cli.render.output import print_json, say
    from pqbed_cli.render.plan import estimate_line, plan_json, plan_table
    from pqbed_cli.render.table import print_tables
    from pqbed_cli.workflows.plan import estimate, expect_bed, settle
    from pqbed_cli.workflows.request import read_request

    request = read_request(context.params)
    expected = expect_bed(request)
    settled = settle(request, expected.name, expected.clock)
    found = estimate(settled)
    if json_output:
        print_json(plan_json(settled, found))
        return
    say(f"bed: {expected.reason}")
    print_tables([plan_table(settled.request.sweep)])
    say("")
    say(estimate_line(found))
