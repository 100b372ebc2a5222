from typing import Any

import pytest

from pqbed.net.netem import netem_of
from pqbed.net.root_qdisc import RootQdisc
from pqbed.net.tc_format import netem_text, qdisc_text
from pqbed.spec.link import GilbertElliott, RandomLoss
from pqbed.spec.link_end_shape import EndShape


def shape(**changed: Any) -> Any:
    plain: dict[str, Any] = {
        "delay_ns": 17_500_001,
        "jitter_ns": 0,
        "distribution": "uniform",
        "loss": RandomLoss(),
        "rate_bps": None,
        "limit_packets": 99,
        "seed": 5,
        "segmentation": "wire",
        "mtu": 1500,
        "initcwnd": 10,
        "initrwnd": 0,
        "congestion_control": "cubic",
    }
    return EndShape(**plain | changed)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({}, "limit 99 delay 17.500001ms seed 5"),
        ({"rate_bps": 1_500_000}, "limit 99 delay 17.500001ms rate 1.5Mbit seed 5"),
        (
            {"delay_ns": 2_000_000_000, "jitter_ns": 750, "distribution": "pareto"},
            "limit 99 delay 2s 750ns distribution pareto seed 5",
        ),
        ({"loss": RandomLoss(probability_ppm=12_500)}, "limit 99 delay 17.500001ms loss 1.25% seed 5"),
        (
            {"loss": GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=200_000)},
            "limit 99 delay 17.500001ms loss gemodel p 1% r 20% 1-h 100% 1-k 0% seed 5",
        ),
    ],
)
def test_netem_in_the_words_of_tc(changed: Any, text: Any) -> None:
    netem = netem_of(shape(**changed))
    assert netem is not None
    assert netem_text(netem) == text


def test_other_qdiscs_are_named() -> None:
    root = RootQdisc(kind="noqueue", handle=0, queued=0, queued_bytes=0, netem=None, options=b"")
    assert qdisc_text(root) == "qdisc noqueue 0: root"
