from ipaddress import ip_network

import pytest

from pqbed.errors import SpecError
from pqbed.net.addresses import LANES, address_plan


def test_first_and_last_lane_fill_the_benchmark_network() -> None:
    assert address_plan(0).network == "198.18.0.0/30"
    assert address_plan(LANES - 1).network == "198.19.255.252/30"
    with pytest.raises(SpecError, match="no lane"):
        address_plan(LANES)


def test_lanes_share_nothing() -> None:
    plans = [address_plan(lane) for lane in range(300)]
    assert len({plan.network for plan in plans}) == 300
    ends = [end for plan in plans for end in (plan.client, plan.server)]
    assert len({end.address for end in ends}) == len({end.mac for end in ends}) == 600


def test_both_ends_are_hosts_of_their_network() -> None:
    plan = address_plan(77)
    hosts = {str(host) for host in ip_network(plan.network).hosts()}
    assert hosts == {plan.client.address, plan.server.address}
    assert plan.client.mac.startswith("02:")
