"""A sweep: the grid of cells, the number of samples, the seed."""

from dataclasses import dataclass

from pqbed.spec.connection import FULL, Connection
from pqbed.spec.cross_traffic import CrossTraffic
from pqbed.spec.drop_list import NO_DROPS, DropList
from pqbed.spec.link import (
    DEFAULT_LAYOUT,
    DEFAULT_QUEUE_PACKETS,
    Distribution,
    Layout,
    Loss,
    Queue,
    QueueDiscipline,
    RandomLoss,
    Segmentation,
)
from pqbed.spec.link_timeline import LinkTrace, Outage
from pqbed.spec.metric import TTLB
from pqbed.spec.middlebox import Middlebox
from pqbed.spec.mixture import Mixture
from pqbed.spec.named_link import NamedLink
from pqbed.spec.path_mtu import PathMtu
from pqbed.spec.profile import Profile, copy_profile
from pqbed.spec.tcp import DEFAULT_INITCWND
from pqbed.spec.workload import Http

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The axes of the grid, each a tuple without duplicates; their product is the cells.

    `profiles[0]` is the baseline that increases are counted from. `samples` is per cell; with `precision_ppm`, the half
    width that the 95 % interval of each increase at p50 shall have, in parts of the baseline, it is the most;
    `metric` is that of the increase.
    `aa` adds the A/A arm, a second copy of the baseline. `timeout_ns` bounds one fetch on the bed's own clock.
    `cut_jitter` allows jitter that is cut at zero often enough to lengthen the mean RTT (`checks.py`). The axes of one
    side or direction alone (`*_up`, `*_up_*`, `*_client`) hold None for "the same as the other"; without
    them both sides are alike. With `links`, the grid has each of these links instead of the product of the axes whose
    values they give. `mixtures` weight cells of the grid; they measure nothing of their own.
    """

    name: str
    rtt_ns: tuple[int, ...]
    delay_up_ns: tuple[int | None, ...] = (None,)
    profiles: tuple[Profile, ...]
    aa: bool = False
    bandwidth_bps: tuple[int | None, ...]
    bandwidth_up_bps: tuple[int | None, ...] = (None,)
    loss: tuple[Loss, ...] = (RandomLoss(),)
    loss_up: tuple[Loss | None, ...] = (None,)
    drop: tuple[DropList, ...] = (NO_DROPS,)
    jitter_ns: tuple[int, ...] = (0,)
    jitter_up_ns: tuple[int | None, ...] = (None,)
    distribution: tuple[Distribution, ...] = ("uniform",)
    distribution_up: tuple[Distribution | None, ...] = (None,)
    queue_packets: tuple[Queue, ...] = (DEFAULT_QUEUE_PACKETS,)
    queue_discipline: tuple[QueueDiscipline, ...] = ("fifo",)
    queue_discipline_up: tuple[QueueDiscipline | None, ...] = (None,)
    queue_up_packets: tuple[Queue | None, ...] = (None,)
    trace: tuple[LinkTrace | None, ...] = (None,)
    trace_up: tuple[LinkTrace | None, ...] = (None,)
    outage: tuple[Outage | None, ...] = (None,)
    cross_traffic: tuple[CrossTraffic | None, ...] = (None,)
    middlebox: tuple[Middlebox | None, ...] = (None,)
    reorder_ppm: tuple[int, ...] = (0,)
    duplicate_ppm: tuple[int, ...] = (0,)
    corrupt_ppm: tuple[int, ...] = (0,)
    path_mtu: tuple[PathMtu | None, ...] = (None,)
    segmentation: tuple[Segmentation, ...] = ("wire",)
    layout: tuple[Layout, ...] = (DEFAULT_LAYOUT,)
    initcwnd: tuple[int, ...] = (DEFAULT_INITCWND,)
    initcwnd_client: tuple[int | None, ...] = (None,)
    congestion_control: tuple[str, ...] = ("cubic",)
    congestion_control_client: tuple[str | None, ...] = (None,)
    size_bytes: tuple[int, ...]
    http: tuple[Http, ...] = ("1.1",)
    initrwnd: tuple[int, ...] = (0,)
    mtu: tuple[int, ...] = (1500,)
    ecn: tuple[bool, ...] = (False,)
    fast_open: tuple[bool, ...] = (False,)
    connection: tuple[Connection, ...] = (FULL,)
    links: tuple[NamedLink, ...] = ()
    mixtures: tuple[Mixture, ...] = ()
    samples: int
    precision_ppm: int | None = None
    metric: str = TTLB.name
    seed: int = 1
    timeout_ns: int = 300 * SECOND_NS
    cut_jitter: bool = False

    @property
    def link(self) -> tuple[str | None, ...]:
        """Return the names of the links; one None without named links."""
        return tuple(link.name for link in self.links) or (None,)

    @property
    def arms(self) -> tuple[Profile, ...]:
        """Return the profiles that are measured: those named, and the A/A arm."""
        return (*self.profiles, copy_profile(self.profiles[0])) if self.aa else self.profiles
