import pytest

from pqbed.errors import SpecError
from pqbed.spec.cross_traffic import Flows, format_cross_traffic, parse_cross_traffic


@pytest.mark.parametrize(
    "text", ["none", "down:1", "down:4:bbr+up:1", "down:udp:200kbit", "up:2@40s", "down:1+up:udp:1mbit@0s"]
)
def test_cross_traffic_is_read_and_written(text: str) -> None:
    assert format_cross_traffic(parse_cross_traffic(text, bare=True)) == text


def test_flows_of_each_direction_are_told_apart() -> None:
    traffic = parse_cross_traffic("down:4:bbr+up:1", bare=True)
    assert traffic is not None
    assert traffic.towards("down") == (Flows(way="down", count=4, congestion_control="bbr"),)
    assert traffic.towards("up") == (Flows(way="up"),)


@pytest.mark.parametrize(
    "text",
    ["", "1", "down", "left:1", "down:0", "down:101", "down:1:", "down:1:a/b", "down:udp", "down:1@601s", "up:1:x:y"],
)
def test_what_is_no_cross_traffic_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        parse_cross_traffic(text, bare=True)
