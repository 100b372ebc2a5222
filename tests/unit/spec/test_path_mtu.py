import pytest

from pqbed.errors import SpecError
from pqbed.spec.link import Link
from pqbed.spec.link_end_shape import STAGES, shape_end, shape_stage
from pqbed.spec.path_mtu import PathMtu, parse_path_mtu
from pqbed.spec.sweep_toml import sweep_from
from pqbed.spec.tcp import Tcp


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("1400", "is not an MTU and what becomes"),
        ("x:clamped", "is not an MTU and what becomes"),
        ("575:clamped", "out of range"),
        ("1400:shouted", "handling of larger packets"),
    ],
)
def test_what_is_no_path_mtu_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(SpecError, match=wrong):
        parse_path_mtu(text, bare=True)


def test_a_black_hole_is_where_loss_is_and_a_clamp_at_the_ends() -> None:
    hole = Link(rtt_ns=1, path_mtu=PathMtu(size_bytes=1400, handling="swallowed"))
    clamp = Link(rtt_ns=1, path_mtu=PathMtu(size_bytes=1400, handling="clamped"), layout="router")
    assert [(shape_end(hole, Tcp(), "client", 1).largest_packet, shape_end(hole, Tcp(), "client", 1).advmss)] == [
        (1400, 0)
    ]
    routed = Link(rtt_ns=1, path_mtu=hole.path_mtu, layout="router")
    assert shape_end(routed, Tcp(), "server", 1).largest_packet == 0
    assert shape_stage(routed, Tcp(), "down-delay", 1).largest_packet == 1400
    assert shape_end(clamp, Tcp(), "server", 1).advmss == 1360
    assert shape_stage(clamp, Tcp(), "down-delay", 1).advmss == 0


@pytest.mark.parametrize(
    ("texts", "wrong"),
    [
        ({"path_mtu": "1500:clamped"}, "--path-mtu 1500:clamped is not below --mtu 1500"),
        ({"path_mtu": "1400:told"}, "takes a router that tells"),
        ({"path_mtu": "1400:swallowed", "segmentation": "host"}, "--path-mtu is about packets on the wire"),
    ],
)
def test_what_would_have_no_effect_or_another_is_refused(texts: dict[str, str], wrong: str) -> None:
    with pytest.raises(SpecError, match=wrong):
        sweep_from(texts, bare=True)


def test_a_path_that_tells_its_mtu_has_it_at_its_bottleneck() -> None:
    link = Link(rtt_ns=1, layout="router", path_mtu=PathMtu(size_bytes=1400, handling="told"))
    stages = {stage: shape_stage(link, Tcp(), stage, 1) for stage in STAGES}
    assert [stages[stage].mtu for stage in STAGES] == [1400 if stage.endswith("rate") else 1500 for stage in STAGES]
    assert shape_end(link, Tcp(), "client", 1).forgets_path_mtu
    assert not any(shape.forgets_path_mtu for shape in stages.values())
