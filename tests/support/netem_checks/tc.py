"""What iproute2's tc reads of a qdisc, held against a shape."""

import json
import subprocess
from dataclasses import replace
from typing import Any

from pqbed.net.addresses import IFNAME
from pqbed.net.netem import HANDLES, netem_of
from pqbed.spec.link import GilbertElliott, RandomLoss
from pqbed.spec.link_end_shape import EndShape
from support.netem_checks.check import equal


def tc(namespace: str = "client") -> dict[str, Any]:
    told = subprocess.run(
        ["ip", "netns", "exec", namespace, "tc", "-j", "qdisc", "show", "dev", IFNAME],
        check=True,
        capture_output=True,
    )
    found: dict[str, Any] = json.loads(told.stdout)[0]
    return found


def compare_with_tc(shape: EndShape) -> None:
    """Hold `shape` against what tc reads."""
    told = tc()
    wanted = netem_of(shape)
    if wanted is None:
        equal(told["kind"], "noqueue", "qdisc without netem")
        return
    options = told["options"]
    equal(told["handle"], f"{HANDLES[shape.distribution] >> 16:x}:", "handle")
    equal(options["limit"], shape.limit_packets, "limit")
    equal(options["seed"], shape.seed, "seed")
    delay = options.get("delay", {"delay": 0, "jitter": 0, "correlation": 0})
    # tc prints six digits.
    equal(delay["delay"], float(f"{shape.delay_ns / 1e9:.6g}"), "delay")
    equal(delay["jitter"], float(f"{shape.jitter_ns / 1e9:.6g}"), "jitter")
    equal(options.get("rate", {"rate": 0})["rate"], (shape.rate_bps or 0) // 8, "rate")
    match shape.loss:
        case RandomLoss(probability_ppm=ppm):
            equal("loss-gemodel" in options, False, "burst loss")
            equal(round(options.get("loss-random", {"loss": 0})["loss"] * 1e6), ppm, "loss")
        case GilbertElliott():
            equal("loss-random" in options, False, "random loss")
            model = options["loss-gemodel"]
            got = [round(model[name] * 1e6) for name in ("p", "r", "1-h", "1-k")]
            asked = shape.loss
            odds = [asked.enter_bad_ppm, asked.leave_bad_ppm, asked.loss_in_bad_ppm, asked.loss_in_good_ppm]
            equal(got, odds, "burst loss")
    extra = set(options) - {"limit", "seed", "delay", "rate", "loss-random", "loss-gemodel", "ecn", "gap"}
    equal(extra, set(), "what else tc sees")


def as_applied(shape: EndShape) -> EndShape:
    """Without netem nothing is held or drawn."""
    return shape if netem_of(shape) is not None else replace(shape, limit_packets=0, seed=0)
