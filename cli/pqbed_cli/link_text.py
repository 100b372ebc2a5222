"""The values of one link and one fetch from text: the axes of a sweep, cut down to one value each."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pqbed.beds.session import Session
from pqbed.errors import SpecError
from pqbed.spec import parse
from pqbed.spec.link import Link, queue_fields
from pqbed.spec.names import known_name
from pqbed.spec.pairs import pair_profiles
from pqbed.spec.profile import Profile
from pqbed.spec.profiles import builtin_profiles
from pqbed.spec.tcp import Tcp

T = TypeVar("T")

UP_LINK = Link(rtt_ns=35_000_000, bandwidth_bps=1_000_000)
LARGEST_SEED = 2**63 - 1

_LINK_FIELDS: dict[str, tuple[str, Callable[[str], tuple[Any, ...]]]] = {
    "rtt": ("rtt_ns", parse.parse_rtts),
    "loss": ("loss", parse.parse_losses),
    "loss_up": ("loss_up", parse.parse_losses_up),
    "bandwidth": ("bandwidth_bps", parse.parse_bandwidths),
    "bandwidth_up": ("bandwidth_up_bps", parse.parse_bandwidths_up),
    "jitter": ("jitter_ns", parse.parse_jitters),
    "distribution": ("distribution", parse.parse_distributions),
    "segmentation": ("segmentation", parse.parse_segmentations),
    "layout": ("layout", parse.parse_layouts),
}


def session_with(session: Session, typed: Mapping[str, str]) -> Session:
    """Return `session` with what was typed laid over its link, tcp and seed."""
    if not typed:
        raise SpecError("nothing to set", "name at least one value, for example `pqbed link set --rtt 35`")
    changes: dict[str, Any] = {
        field: single(option, read(typed[option])) for option, (field, read) in _LINK_FIELDS.items() if option in typed
    }
    if "queue" in typed:
        changes |= queue_fields(single("queue", parse.parse_queues(typed["queue"])))
    tcp = _tcp_with(session.tcp, typed)
    seed = parse.parse_count("seed", typed["seed"], 0, LARGEST_SEED) if "seed" in typed else session.seed
    return replace(session, link=_checked(replace(session.link, **changes)), tcp=tcp, seed=seed)


def up_link(layout: str | None) -> Link:
    """Return the link of a bed that has just come up."""
    return UP_LINK if layout is None else replace(UP_LINK, layout=single("layout", parse.parse_layouts(layout)))


def _tcp_with(tcp: Tcp, typed: Mapping[str, str]) -> Tcp:
    """Lay what was typed over `tcp`. What is named for both sides goes before what is named for the client."""
    if "initcwnd" in typed:
        segments = single("initcwnd", parse.parse_initcwnds(typed["initcwnd"]))
        tcp = replace(tcp, initcwnd_server=segments, initcwnd_client=segments)
    if "initcwnd_client" in typed:
        own = single("initcwnd_client", parse.parse_client_initcwnds(typed["initcwnd_client"]))
        tcp = replace(tcp, initcwnd_client=own or tcp.initcwnd_server)
    if "congestion_control" in typed:
        name = single("congestion_control", parse.parse_controls(typed["congestion_control"]))
        tcp = replace(tcp, congestion_control=name, congestion_control_client=None)
    if "congestion_control_client" in typed:
        names = parse.parse_client_controls(typed["congestion_control_client"])
        tcp = replace(tcp, congestion_control_client=single("congestion_control_client", names))
    return tcp


def profiles_from(text: str | None) -> tuple[Profile, ...]:
    """Return the profiles named, or all that come with pqbed."""
    known = builtin_profiles()
    return parse.parse_profiles(text, known) if text is not None else tuple(known.values())


def profile_of(session: Session, name: str | None) -> Profile:
    """Return the profile `name` of those the session serves; its first where none is named."""
    served = {profile.name: profile for profile in session.profiles}
    return served[known_name(name, served, "profile on this bed")] if name is not None else session.profiles[0]


def arms_of(session: Session, name: str | None, servers: str | None, clients: str | None) -> tuple[Profile, ...]:
    """Return the profile `name` of the session, on each pair of stacks named."""
    return pair_profiles(
        (profile_of(session, name),),
        None if servers is None else parse.parse_stacks(servers),
        None if clients is None else parse.parse_client_stacks(clients),
    )


def single(option: str, values: tuple[T, ...]) -> T:
    """Return the one value. Raises SpecError for a list."""
    if len(values) != 1:
        raise SpecError(f"{option}: {len(values)} values where one is wanted", "lists are for `pqbed sweep`")
    return values[0]


def _checked(link: Link) -> Link:
    if link.jitter_ns > link.rtt_ns // 2:
        raise SpecError("the jitter is more than one direction's delay", "give a smaller --jitter or a longer --rtt")
    return link
