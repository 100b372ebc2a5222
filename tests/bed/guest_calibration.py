"""Calibrate right links and falsified ones in a guest in virtual time; one JSON line each."""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from pqbed.agent.lane_part_interfaces import End
from pqbed.agent.network_path import NetworkPath
from pqbed.agent.single_process_lane import LaneAgent
from pqbed.net.link_state import EndState
from pqbed.spec.json_codec import to_json
from pqbed.spec.link import Layout, Link
from pqbed.spec.link_end_shape import EndShape
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.tcp import Tcp
from support.units import MS
from support.wrong_links import OTHERS, RIGHT, WRONG, Falsify

PROFILE = Profile(name="plain", group="X25519", chain=Chain(algorithm="rsa2048"))


class FalseEnd:
    """An end or a stage that sets something else than it is asked to."""

    def __init__(self, end: End) -> None:
        self._end = end
        self.falsify: Falsify = honest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._end, name)

    def shape(self, shape: EndShape) -> EndState:
        wrong = self.falsify(shape)
        state = self._end.shape(shape if wrong is None else wrong)
        if wrong is None:
            self._end.quiet()
        return state


def honest(shape: EndShape) -> EndShape:
    return shape


def main() -> None:
    agent = LaneAgent(0, "virtual", Path("/run/pqbed"))
    ways: dict[Layout, Any] = {layout: falsifiable(agent._path_of(layout)) for layout in get_args(Layout)}
    agent._paths.update(ways)
    agent.start((PROFILE,), 30_000 * MS)
    chosen = sys.argv[1:]
    for name, (link, tcp) in RIGHT.items():
        if not chosen or name in chosen:
            tell(agent, name, link, tcp)
    for name, wrong in {**WRONG, **OTHERS}.items():
        if not chosen or name in chosen:
            way = ways[wrong.asked.layout]
            way.client_end.falsify, way.server_end.falsify = wrong.client, wrong.server
            for stage, end in way.stages.items():
                end.falsify = wrong.stages.get(stage, honest)
            tell(agent, name, wrong.asked, wrong.tcp)
    agent.close()


def falsifiable(way: NetworkPath) -> Any:
    stages = {name: FalseEnd(stage) for name, stage in way.stages.items()}
    return replace(way, client_end=FalseEnd(way.client_end), server_end=FalseEnd(way.server_end), stages=stages)


def tell(agent: LaneAgent, name: str, link: Link, tcp: Tcp) -> None:
    start_ns = time.monotonic_ns()
    calibration = agent.calibrate(link, tcp, 1)
    told = {"name": name, "took_ns": time.monotonic_ns() - start_ns, "measured": to_json(calibration.measured)}
    print(json.dumps(told), flush=True)


main()
