from typing import Annotated

import typer

from pqbed_cli.exits import SOME_FAILED
from pqbed_cli.options import Json, axis_options, takes

link = typer.Typer(help="Show the link of the bed that is up, or set it.", no_args_is_help=True, rich_markup_mode=None)

Seed = Annotated[str | None, typer.Option(metavar="N", help="Seed of loss and jitter.")]
Measure = Annotated[bool, typer.Option("--measure", help="Measure it too, and say what is not as asked.")]


@link.command("show")
def show_link(measure: Measure = False, json_output: Json = False) -> None:
    """Read the link back from the kernel of the bed that is up; with --measure see whether it is as asked."""
    from pqbed.beds.session import measure_session_link, open_session_lane, read_session
    from pqbed.spec.codec import to_json
    from pqbed_cli.render.output import print_json
    from pqbed_cli.render.session import print_state, show_measured
    from pqbed_cli.taking import take_bed

    session = read_session()
    with (
        take_bed(session.bed, session.clock, json_output=json_output, quiet=True) as taken,
        open_session_lane(taken.bed, session) as lane,
    ):
        state = lane.read_link()
        found = measure_session_link(lane, session) if measure else None
    if found is not None:
        show_measured(state, found, json_output=json_output)
        raise typer.Exit(SOME_FAILED if found.deviations else 0)
    if json_output:
        print_json(to_json(state))
    else:
        print_state(state)


@link.command("set")
@takes(axis_options("link", "tcp", single=True), {"seed": Seed})
def set_link(
    context: typer.Context,
    json_output: Json = False,
) -> None:
    """Set the link of the bed that is up, and read it back. What is not named keeps its value."""
    from pqbed.beds.session import read_session, set_session_link
    from pqbed.spec.codec import to_json
    from pqbed_cli.link_text import session_with
    from pqbed_cli.render.output import print_json
    from pqbed_cli.render.session import print_state
    from pqbed_cli.taking import take_bed

    typed = {name: text for name, text in context.params.items() if text is not None and name != "json_output"}
    session = session_with(read_session(), typed)
    with take_bed(session.bed, session.clock, json_output=json_output, quiet=True) as taken:
        state = set_session_link(taken.bed, session)
    if json_output:
        print_json(to_json(state))
    else:
        print_state(state)
