import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqbed.errors import SpecError
from pqbed.net.netem import (
    HANDLES,
    GilbertElliottOdds,
    Netem,
    decode,
    loss_of,
    message,
    netem_of,
    odds,
    odds_of,
    ppm,
)
from pqbed.net.rtnetlink import encode
from pqbed.net.tc_messages import RTM_NEWQDISC
from pqbed.spec.link import PPM, GilbertElliott, Link, RandomLoss
from pqbed.spec.link_end_shape import shape_end
from pqbed.spec.tcp import Tcp

u32 = st.integers(0, 2**32 - 1)
s64_time = st.integers(0, 2**63 - 1)
probabilities = st.integers(0, PPM)
netems = st.builds(
    Netem,
    delay_ns=s64_time,
    jitter_ns=s64_time,
    distribution=st.sampled_from(list(HANDLES)),
    loss=u32,
    burst_loss=st.none()
    | st.builds(GilbertElliottOdds, enter_bad=u32, leave_bad=u32, keep_in_bad=u32, lose_in_good=u32),
    rate_bytes=st.integers(0, 2**64 - 1),
    limit_packets=u32,
    seed=st.integers(0, 2**64 - 1),
)
losses = st.builds(RandomLoss, probability_ppm=probabilities) | st.builds(
    GilbertElliott,
    enter_bad_ppm=probabilities,
    leave_bad_ppm=probabilities,
    loss_in_bad_ppm=probabilities,
    loss_in_good_ppm=probabilities,
)


@given(netems)
def test_what_is_encoded_is_decoded(netem: Netem) -> None:
    data = bytes(encode(message(3, netem), RTM_NEWQDISC, 0))
    assert decode(data) == netem


@given(netems, st.integers(0, 2**64 - 1))
def test_message_ends_with_the_seed(netem: Netem, seed: int) -> None:
    data = encode(message(3, netem), RTM_NEWQDISC, 0)
    data[-8:] = seed.to_bytes(8, "little")
    assert decode(bytes(data)).seed == seed


@given(losses)
def test_loss_survives_the_kernels_units(loss: GilbertElliott | RandomLoss) -> None:
    random_loss, burst = odds_of(loss)
    netem = Netem(
        delay_ns=0,
        jitter_ns=0,
        distribution="uniform",
        loss=random_loss,
        burst_loss=burst,
        rate_bytes=0,
        limit_packets=1,
        seed=1,
    )
    assert loss_of(netem) == loss


def test_odds_of_certain_and_impossible() -> None:
    assert odds(0) == 0
    assert odds(PPM) == 2**32 - 1
    assert odds(PPM // 2) == 2**31  # 2^31 - 0.5, rounded up
    assert ppm(2**32 - 1) == PPM


def test_ideal_link_needs_no_netem() -> None:
    assert netem_of(shape_end(Link(rtt_ns=0), Tcp(), "client", seed=1)) is None


@pytest.mark.parametrize(
    "link",
    [
        Link(rtt_ns=2),
        Link(rtt_ns=0, jitter_ns=1),
        Link(rtt_ns=0, bandwidth_bps=8),
        Link(rtt_ns=0, loss=RandomLoss(probability_ppm=1)),
        Link(rtt_ns=0, loss=GilbertElliott(enter_bad_ppm=0, leave_bad_ppm=0)),
    ],
)
def test_any_impairment_needs_netem(link: Link) -> None:
    assert netem_of(shape_end(link, Tcp(), "client", seed=1)) is not None


def test_rate_that_would_mean_none_is_refused() -> None:
    with pytest.raises(SpecError, match="smallest rate"):
        netem_of(shape_end(Link(rtt_ns=0, bandwidth_bps=7), Tcp(), "client", seed=1))


def test_what_another_program_set_is_named() -> None:
    netem = netem_of(shape_end(Link(rtt_ns=2), Tcp(), "client", seed=1))
    assert netem is not None
    built = message(3, netem)
    built["handle"] = 0x8001_0000
    options = dict(built["attrs"])["TCA_OPTIONS"]
    options["duplicate"] = 5
    attrs = dict(options["attrs"])
    attrs["TCA_NETEM_ECN"] = 1
    attrs["TCA_NETEM_REORDER"] = {"probability": 9, "correlation": 0}
    options["attrs"] = [[name, value] for name, value in attrs.items()]
    found = decode(bytes(encode(built, RTM_NEWQDISC, 0)))
    assert found.rest == ("handle", "ecn")
    assert (found.duplicate, found.reorder) == (5, 9)


def test_pyroute2s_own_class_does_not_lend_us_its_map() -> None:
    code = """
from pyroute2.netlink.rtnl.tcmsg import tcmsg
tcmsg()
from pqbed.net.netem_support import IDLE
from pqbed.net.netem import decode, message
from pqbed.net.rtnetlink import encode
from pqbed.net.tc_messages import RTM_NEWQDISC
assert decode(bytes(encode(message(1, IDLE), 36, 0))) == IDLE
"""
    subprocess.run([sys.executable, "-c", code], check=True)
