"""Network path between client and server in one layout of the link: its shaped interfaces and its addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pqbed.agent.lane_part_interfaces import End
from pqbed.net.link_state import LinkState
from pqbed.spec.link import Link
from pqbed.spec.link_end_shape import BOTTLENECKS, Stage, shape_end, shape_stage
from pqbed.spec.tcp import Tcp


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPath:
    """`address` is the server's; `stages` exist only in the layout `router`, and each is set like an end."""

    client_end: End
    server_end: End
    address: str
    client_address: str
    stages: Mapping[Stage, End] = field(default_factory=dict)

    def shape(self, link: Link, tcp: Tcp, seed: int) -> LinkState:
        """Set every interface and read it back. Raises HostError if the kernel applied something else."""
        return LinkState(
            client=self.client_end.shape(shape_end(link, tcp, "client", seed)),
            server=self.server_end.shape(shape_end(link, tcp, "server", seed)),
            stages={name: stage.shape(shape_stage(link, tcp, name, seed)) for name, stage in self.stages.items()},
        )

    def read(self) -> LinkState:
        """Read every interface without changing it."""
        return LinkState(
            client=self.client_end.read(),
            server=self.server_end.read(),
            stages={name: stage.read() for name, stage in self.stages.items()},
        )

    def marked(self) -> int:
        """Return how many packets the bottlenecks have marked since they were shaped (ECN)."""
        return sum(stage.marked() for name, stage in self.stages.items() if name in BOTTLENECKS)

    def quiet(self) -> int | None:
        """Drop every packet on the wire and let later ones pass unshaped, until the next `shape`.

        Return how many packets the queues dropped; None without stages, where netem counts them together with its loss.
        """
        bottlenecks = [stage for name, stage in self.stages.items() if name in BOTTLENECKS]
        for end in (self.client_end, self.server_end, *self.stages.values()):
            if end not in bottlenecks:
                end.quiet()
        return sum(stage.drain() for stage in bottlenecks) if bottlenecks else None
