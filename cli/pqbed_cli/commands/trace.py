from typing import Annotated

import typer

from pqbed_cli import options


def trace(
    context: typer.Context,
    rtt: options.Rtt = None,
    loss: options.Loss = None,
    loss_up: options.LossUp = None,
    bandwidth: options.Bandwidth = None,
    bandwidth_up: options.BandwidthUp = None,
    jitter: options.Jitter = None,
    distribution: options.Distribution = None,
    size: options.Size = None,
    profile: options.Profiles = None,
    stack: options.Stacks = None,
    client_stack: options.ClientStacks = None,
    initcwnd: options.Initcwnd = None,
    initcwnd_client: options.InitcwndClient = None,
    congestion_control: options.CongestionControl = None,
    congestion_control_client: options.CongestionControlClient = None,
    queue: options.Queue = None,
    segmentation: options.Segmentation = None,
    layout: options.Layout = None,
    http: options.Http = None,
    seed: options.Seed = None,
    repetition: Annotated[
        str, typer.Option(metavar="N", help="Of a sweep with the same seed, the sample to fetch again; the first is 0.")
    ] = "0",
    timeout: options.Timeout = None,
    name: options.Name = None,
    bed: options.BedOption = None,
    clock: options.ClockOption = None,
    out: options.Out = None,
    spec: options.Spec = None,
    preset: options.Preset = None,
    ca_bundle: options.CaBundle = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    json_output: options.Json = False,
) -> None:
    """Fetch once, capture it at both ends with its keys, and draw it: packet files, two pictures, one page."""
    from pqbed_cli.tracing import start_trace

    raise typer.Exit(start_trace(context.params))
