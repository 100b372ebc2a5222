from typing import Annotated

import typer

from pqbed_cli.exits import SOME_FAILED
from pqbed_cli.options import Json

link = typer.Typer(help="Show the link of the bed that is up, or set it.", no_args_is_help=True, rich_markup_mode=None)

Rtt = Annotated[str | None, typer.Option(metavar="MS", help="Round-trip time; a plain number is ms.")]
Loss = Annotated[str | None, typer.Option(metavar="%", help="Loss in each direction; bursts as ge:P/R[/H[/K]].")]
Bandwidth = Annotated[str | None, typer.Option(metavar="MBIT", help="Rate; a plain number is Mbit/s; or none.")]
LossUp = Annotated[str | None, typer.Option(metavar="%", help="Loss from client to server; or same.")]
BandwidthUp = Annotated[str | None, typer.Option(metavar="MBIT", help="Rate from client to server; or same.")]
Jitter = Annotated[str | None, typer.Option(metavar="MS", help="Jitter of one direction.")]
Distribution = Annotated[
    str | None, typer.Option(metavar="NAME", help="Of the jitter: uniform, normal, pareto, paretonormal.")
]
Queue = Annotated[str | None, typer.Option(metavar="N", help="Packets that may wait at the bottleneck.")]
Segmentation = Annotated[str | None, typer.Option(metavar="NAME", help="wire, offload-off or host.")]
Layout = Annotated[
    str | None, typer.Option(metavar="NAME", help="ends: netem at the senders; router: stages between the ends.")
]
Initcwnd = Annotated[str | None, typer.Option(metavar="N", help="Initial congestion window, in segments.")]
InitcwndClient = Annotated[str | None, typer.Option(metavar="N", help="That of the client alone; or same.")]
CongestionControl = Annotated[
    str | None, typer.Option(metavar="NAME", help="Congestion control, by the kernel's name: cubic, bbr, ...")
]
CongestionControlClient = Annotated[str | None, typer.Option(metavar="NAME", help="That of the client alone; or same.")]
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
def set_link(
    rtt: Rtt = None,
    loss: Loss = None,
    loss_up: LossUp = None,
    bandwidth: Bandwidth = None,
    bandwidth_up: BandwidthUp = None,
    jitter: Jitter = None,
    distribution: Distribution = None,
    queue: Queue = None,
    segmentation: Segmentation = None,
    layout: Layout = None,
    initcwnd: Initcwnd = None,
    initcwnd_client: InitcwndClient = None,
    congestion_control: CongestionControl = None,
    congestion_control_client: CongestionControlClient = None,
    seed: Seed = None,
    json_output: Json = False,
) -> None:
    """Set the link of the bed that is up, and read it back. What is not named keeps its value."""
    from pqbed.beds.session import read_session, set_session_link
    from pqbed.spec.codec import to_json
    from pqbed_cli.link_text import session_with
    from pqbed_cli.render.output import print_json
    from pqbed_cli.render.session import print_state
    from pqbed_cli.taking import take_bed

    typed = {
        "rtt": rtt,
        "loss": loss,
        "loss_up": loss_up,
        "bandwidth": bandwidth,
        "bandwidth_up": bandwidth_up,
        "jitter": jitter,
        "distribution": distribution,
        "queue": queue,
        "segmentation": segmentation,
        "layout": layout,
        "initcwnd": initcwnd,
        "initcwnd_client": initcwnd_client,
        "congestion_control": congestion_control,
        "congestion_control_client": congestion_control_client,
        "seed": seed,
    }
    session = session_with(read_session(), {key: text for key, text in typed.items() if text is not None})
    with take_bed(session.bed, session.clock, json_output=json_output, quiet=True) as taken:
        state = set_session_link(taken.bed, session)
    if json_output:
        print_json(to_json(state))
    else:
        print_state(state)
