"""Calibrate right links and falsified ones in a guest in virtual time; one JSON line each."""

import json
import sys
import time
from pathlib import Path

sys.path.append("/opt/pqbed/vendor")

from wrong_links import OTHERS, RIGHT, WRONG, Falsify

from pqbed.agent.lane import LaneAgent
from pqbed.net.end import End
from pqbed.net.link import IFNAME
from pqbed.net.shape import EndShape
from pqbed.net.state import EndState
from pqbed.spec.codec import to_json
from pqbed.spec.link import Link
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.tcp import Tcp

MS = 1_000_000
PROFILE = Profile(name="plain", group="X25519", chain=Chain(algorithm="rsa2048"))


class FalseEnd(End):
    """An end that sets something else than it is asked to."""

    falsify: Falsify = staticmethod(lambda shape: shape)

    def shape(self, shape: EndShape) -> EndState:
        wrong = self.falsify(shape)
        state = super().shape(shape if wrong is None else wrong)
        if wrong is None:
            self.quiet()
        return state


def main() -> None:
    agent = LaneAgent(0, "virtual", Path("/run/pqbed"))
    client = agent._client_end = FalseEnd(None, IFNAME)
    server = agent._server_end = FalseEnd(agent._namespace.path, IFNAME)
    agent.start((PROFILE,), 30_000 * MS)
    chosen = sys.argv[1:]
    for name, (link, tcp) in RIGHT.items():
        if not chosen or name in chosen:
            tell(agent, name, link, tcp)
    for name, wrong in {**WRONG, **OTHERS}.items():
        if not chosen or name in chosen:
            client.falsify, server.falsify = wrong.client, wrong.server
            tell(agent, name, wrong.asked, wrong.tcp)
    agent.close()


def tell(agent: LaneAgent, name: str, link: Link, tcp: Tcp) -> None:
    start_ns = time.monotonic_ns()
    calibration = agent.calibrate(link, tcp, 1)
    told = {"name": name, "took_ns": time.monotonic_ns() - start_ns, "measured": to_json(calibration.measured)}
    print(json.dumps(told), flush=True)


main()
