"""What each option of a sweep means, axes excepted: for `--help` and the schema of sweep files."""

from collections.abc import Mapping

from pqbed.spec.guest_kernels import DEFAULT_KERNEL

DESCRIPTIONS: Mapping[str, str] = {
    "name": "Name of the sweep; part of the run's folder.",
    "profile": "TLS profiles; the first is the baseline.",
    "stack": "Stacks that serve each profile.",
    "client_stack": "Stacks that fetch, or same. [default: same]",
    "aa": "Measure the baseline twice, for the noise floor. [default: aa]",
    "cut_jitter": "Allow jitter that is cut at zero and so lengthens the mean RTT by more than 0.1%.",
    "samples": "Samples per cell. [default: about five minutes' worth]",
    "precision": "Sample until each increase at p50 is known to ± this many percentage points.",
    "max_samples": "Limit of --precision, in samples per cell. [default: 1000]",
    "metric": "Metric of the table and of --precision: ttlb, tls, first_byte, connect, bytes or retransmits.",
    "resumed_share": "Share of resumed connections, as 0.8: also show full and resumed mixed by it.",
    "seed": "Seed of order, loss and jitter.",
    "timeout": "Limit of one fetch; a plain number is seconds.",
    "source": "Where the values of the link come from.",
    "latency": "What the source means by latency: RTT, one way, per request.",
    "reading": "How the values were read from the source.",
    "bed": "auto, docker, netns, uml or fake.",
    "clock": "real, or virtual (uml only).",
    "lanes": "Lanes in parallel. [default: as many as the bed allows]",
    "out": "Folder that holds the runs. [default: results]",
    "calibrate": "Verify each link by measurement before sampling: once per run, always (every lane), or off. "
    "[default: once]",
    "kernel": f"Guest kernel by its series, as 6.12 (uml only). [default: {DEFAULT_KERNEL}]",
    "fail_if": "Fail if this is surely so: 'pq.ttlb.p90.increase > 5% at size=50KiB'. Repeat for more.",
    "require": "Fail if this is surely not so: 'ttlb.p75 < 800ms at rtt=35ms'. Repeat for more.",
    "lane_check": "Real clock only: test whether parallel lanes slow each other down; use fewer if they do. "
    "[default: lane-check]",
}
