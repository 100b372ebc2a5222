from typing import Annotated

import typer

from pqbed_cli.exits import SOME_FAILED
from pqbed_cli.options import ClientStacks, Json, Stacks

Profile = Annotated[str | None, typer.Option(metavar="NAME", help="TLS profile. [default: the first that is served]")]
Size = Annotated[str, typer.Option(metavar="KIB", help="Response size; a plain number is KiB.")]
Count = Annotated[str, typer.Option(metavar="N", help="How many fetches, each on a new connection.")]
Timeout = Annotated[str, typer.Option(metavar="S", help="Limit of one fetch; a plain number is seconds.")]


def fetch(
    profile: Profile = None,
    stack: Stacks = None,
    client_stack: ClientStacks = None,
    size: Size = "0",
    count: Count = "1",
    timeout: Timeout = "300",
    json_output: Json = False,
) -> None:
    """Fetch over the link of the bed that is up, and print when each step of the connection was done."""
    from dataclasses import replace

    from pqbed.beds.session import fetch_in_session, open_session_lane, read_session
    from pqbed.spec.axes import AXES
    from pqbed.spec.codec import to_json
    from pqbed.spec.parse import parse_count, parse_timeout
    from pqbed.spec.sample import NO_FAILURES
    from pqbed_cli.link_text import arms_of, single_value
    from pqbed_cli.render.output import print_json
    from pqbed_cli.render.session import print_fetches
    from pqbed_cli.taking import take_bed

    session = read_session()
    arms = arms_of(session, profile, stack, client_stack)
    size_bytes = single_value(AXES["size"], size)
    times = parse_count("count", count, 1, 100_000)
    timeout_ns = parse_timeout(timeout)
    with (
        take_bed(session.bed, session.clock, json_output=json_output, quiet=True) as taken,
        open_session_lane(taken.bed, replace(session, profiles=arms), timeout_ns) as lane,
    ):
        fetched = {arm: list(fetch_in_session(lane, session, arm, size_bytes, times)) for arm in arms}
    if json_output:
        print_json([to_json(timings) for each in fetched.values() for timings in each])
    else:
        for arm, each in fetched.items():
            print_fetches(arm, size_bytes, each)
    if any(timings.outcome not in NO_FAILURES for each in fetched.values() for timings in each):
        raise typer.Exit(SOME_FAILED)
