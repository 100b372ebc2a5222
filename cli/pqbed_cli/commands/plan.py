import typer

from pqbed_cli import options


def plan(
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
    json_output: options.Json = False,
) -> None:
    """Say what `sweep` with the same options would do: cells, samples, estimated time. Starts and writes nothing."""
    from pqbed_cli.planning import estimate, expect_bed, settle
    from pqbed_cli.render.output import print_json, say
    from pqbed_cli.render.plan import estimate_line, plan_json, plan_table
    from pqbed_cli.render.table import print_tables
    from pqbed_cli.request import read_request

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
