"""Sweep -> cells with stable ids -> seeded blocks of fetches. Pure: the same sweep gives the same plan.

A block is one pass over all cells. Within it the links come in random order, and the arms of one
link (profiles, sizes, TCP settings) follow one another in random order and share the netem seed of that repetition,
so that they can be compared as pairs.
"""

import dataclasses
import hashlib
import itertools
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pqbed.spec.cell import Cell
from pqbed.spec.connection import ConnectionKind
from pqbed.spec.grid import lay_out
from pqbed.spec.json_codec import to_json
from pqbed.spec.link import GilbertElliott, Link, RandomLoss
from pqbed.spec.metric import TTLB
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.sample import Fetch
from pqbed.spec.sweep import Sweep
from pqbed.spec.tcp import Tcp
from pqbed.spec.workload import Workload

# The fields that cells had when the first ids were given out. Any other is left out of an id while it has its default:
# a cell keeps its id, and a link its seeds, when pqbed learns to vary something new.
_FIRST_FIELDS: dict[type[Any], frozenset[str]] = {
    Cell: frozenset({"link", "tcp", "profile", "workload"}),
    Link: frozenset(
        {
            *("rtt_ns", "bandwidth_bps", "loss", "jitter_ns", "distribution", "queue_packets"),
            *("segmentation", "layout"),
        }
    ),
    RandomLoss: frozenset({"kind", "probability_ppm"}),
    GilbertElliott: frozenset({"kind", "enter_bad_ppm", "leave_bad_ppm", "loss_in_bad_ppm", "loss_in_good_ppm"}),
    Tcp: frozenset({"initcwnd_server", "initcwnd_client", "initrwnd", "congestion_control", "mtu"}),
    Profile: frozenset({"name", "group", "chain", "stack", "mutual"}),
    Chain: frozenset({"algorithm", "depth"}),
    Workload: frozenset({"size_bytes", "http"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Cells by id, in the order of their axes, and the blocks of fetches on demand.

    `profiles` are those of the cells, the baseline first. `timeout_ns` bounds one fetch. With `precision_ppm` a run may
    do without the later fetches of comparisons that are precise; `samples` is the most (`Sweep`).
    """

    cells: dict[str, Cell]
    profiles: tuple[Profile, ...]
    samples: int
    seed: int
    timeout_ns: int
    precision_ppm: int | None = None
    metric: str = TTLB.name

    @property
    def links(self) -> dict[str, tuple[Link, Tcp]]:
        """Return the links that the cells lie over, each with its TCP settings, by id."""
        pairs = dict.fromkeys((cell.link, cell.tcp) for cell in self.cells.values())
        return {link_id(link, tcp): (link, tcp) for link, tcp in pairs}

    @property
    def size_kinds(self) -> tuple[ConnectionKind, ...]:
        """Return the kinds of connections that take other bytes on the wire, a full one first."""
        kinds = (cell.workload.connection.size_kind for cell in self.cells.values())
        return tuple(dict.fromkeys(("full", *kinds)))

    @property
    def block_count(self) -> int:
        return self.samples

    @property
    def fetch_count(self) -> int:
        return self.samples * len(self.cells)

    @property
    def comparisons(self) -> tuple[tuple[str, ...], ...]:
        """Return the cells that are compared with one another: they differ in the profile alone, the baseline first."""
        found: dict[tuple[Link, Tcp, Workload], list[str]] = {}
        for identity, cell in self.cells.items():
            found.setdefault((cell.link, cell.tcp, cell.workload), []).append(identity)
        return tuple(map(tuple, found.values()))

    @property
    def arms(self) -> dict[Link, tuple[str, ...]]:
        """Return the cells of each link: their fetches are compared as pairs, so they stay together."""
        by_link: dict[Link, list[str]] = {}
        for identity, cell in self.cells.items():
            by_link.setdefault(cell.link, []).append(identity)
        return {link: tuple(cells) for link, cells in by_link.items()}

    def block(self, number: int) -> tuple[Fetch, ...]:
        """Return block `number` (0 to `block_count` - 1): each cell once."""
        by_link = {link: list(cells) for link, cells in self.arms.items()}
        links = list(by_link)
        order = random.Random(_mix(self.seed, "order", number))
        order.shuffle(links)
        fetches: list[Fetch] = []
        for link in links:
            arms = by_link[link]
            order.shuffle(arms)
            seed = _mix(self.seed, _digest(link), number)
            fetches.extend(Fetch(cell_id=arm, block=number, repetition=number, seed=seed) for arm in arms)
        return tuple(fetches)

    def link_blocks(self, link: Link, numbers: Iterable[int]) -> Iterator[tuple[Fetch, ...]]:
        """Yield the fetches over `link` of each of these blocks, without laying out the rest of the block.

        They are those of `block`, seeds included; their order is drawn for the link alone.
        """
        digest, arms = _digest(link), self.arms[link]
        for number in numbers:
            seed = _mix(self.seed, digest, number)
            order = random.Random(_mix(self.seed, "order", digest, number))
            yield tuple(
                Fetch(cell_id=arm, block=number, repetition=number, seed=seed) for arm in order.sample(arms, len(arms))
            )

    def blocks(self) -> Iterator[tuple[Fetch, ...]]:
        """Yield all blocks in order."""
        return map(self.block, range(self.block_count))


def plan_sweep(sweep: Sweep) -> Plan:
    """Lay out the grid of `sweep`."""
    return replace(
        plan_sweeps((sweep,), samples=sweep.samples, seed=sweep.seed),
        precision_ppm=sweep.precision_ppm,
        metric=sweep.metric,
    )


def plan_sweeps(sweeps: Sequence[Sweep], *, samples: int, seed: int) -> Plan:
    """Lay out the grids of `sweeps` as one plan; a cell that is in several of them is there once."""
    return Plan(
        cells={cell_id(cell): cell for sweep in sweeps for cell in _grid(sweep)},
        profiles=tuple(dict.fromkeys(profile for sweep in sweeps for profile in sweep.arms)),
        samples=samples,
        seed=seed,
        timeout_ns=max(sweep.timeout_ns for sweep in sweeps),
    )


def plan_hash(plan: Plan) -> str:
    """Return 16 hexadecimal digits for everything that decides which fetches there are, in which order."""
    metric = () if plan.precision_ppm is None or plan.metric == TTLB.name else (plan.metric,)
    settings = (plan.samples, plan.seed, plan.timeout_ns, plan.precision_ppm, *metric)
    first = [(fetch.cell_id, fetch.seed) for fetch in plan.block(0)]
    profiles = [profile.name for profile in plan.profiles]
    return hashlib.sha256(json.dumps([settings, list(plan.cells), profiles, first]).encode()).hexdigest()[:16]


def cell_id(cell: Cell) -> str:
    """Return 12 hexadecimal digits that depend on every value of `cell` and nothing else."""
    return _digest(cell)[:12]


def link_id(link: Link, tcp: Tcp) -> str:
    """Return 12 hexadecimal digits for what is calibrated as one: a link and the TCP settings of its ends."""
    return hashlib.sha256(f"{_digest(link)}/{_digest(tcp)}".encode()).hexdigest()[:12]


def calibration_seed(seed: int, identity: str) -> int:
    """Return the seed that link `identity` is calibrated with."""
    return _mix(seed, "calibration", identity)


def _grid(sweep: Sweep) -> Iterator[Cell]:
    for link, tcp in itertools.product(lay_out(Link, sweep), lay_out(Tcp, sweep)):
        for profile, workload in itertools.product(sweep.arms, lay_out(Workload, sweep)):
            yield Cell(link=link, tcp=tcp, profile=profile, workload=workload)


def _digest(value: Cell | Link | Tcp) -> str:
    text = json.dumps(_identifying(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _identifying(value: Any) -> Any:
    """Return `value` as JSON, without names that do not count, and fields that came later and have their default."""
    if not dataclasses.is_dataclass(value):
        return to_json(value)
    first = _FIRST_FIELDS.get(type(value), frozenset())
    return {
        field.name: _identifying(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if field.compare and (field.name in first or getattr(value, field.name) != field.default)
    }


def _mix(*parts: object) -> int:
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
