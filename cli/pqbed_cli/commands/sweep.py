from typing import Annotated

import typer

from pqbed_cli import options


def sweep(
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
    aa: options.CopyArm = None,
    initcwnd: options.Initcwnd = None,
    initcwnd_client: options.InitcwndClient = None,
    congestion_control: options.CongestionControl = None,
    congestion_control_client: options.CongestionControlClient = None,
    queue: options.Queue = None,
    segmentation: options.Segmentation = None,
    layout: options.Layout = None,
    http: options.Http = None,
    samples: options.Samples = None,
    precision: options.Precision = None,
    max_samples: options.MaxSamples = None,
    seed: options.Seed = None,
    timeout: options.Timeout = None,
    name: options.Name = None,
    lanes: options.Lanes = None,
    guard: options.Guard = None,
    bed: options.BedOption = None,
    clock: options.ClockOption = None,
    calibrate: options.Calibrate = None,
    out: options.Out = None,
    spec: options.Spec = None,
    preset: options.Preset = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with this run (its folder, or latest); --lanes may differ.")
    ] = None,
    ca_bundle: options.CaBundle = None,
    json_output: options.Json = False,
) -> None:
    """Measure TTLB over a grid of links, profiles and sizes. Every axis takes a list: --rtt 35,200 --loss 0,1,3,10."""
    from pqbed_cli.sweeping import resume_sweep, start_sweep

    code = start_sweep(context.params) if resume is None else resume_sweep(context.params)
    raise typer.Exit(code)
