"""The values of one link and one fetch from text: the axes of a sweep, cut down to one value each."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pqbed.beds.session import Session
from pqbed.errors import SpecError
from pqbed.spec import parse
from pqbed.spec.axes import AXES, Axis, lay_over
from pqbed.spec.link import Link
from pqbed.spec.names import known_name
from pqbed.spec.pairs import pair_profiles
from pqbed.spec.profile import Profile
from pqbed.spec.profiles import builtin_profiles
from pqbed.spec.tcp import Tcp

UP_LINK = Link(rtt_ns=35_000_000, bandwidth_bps=1_000_000)
LARGEST_SEED = 2**63 - 1


def session_with(session: Session, typed: Mapping[str, str]) -> Session:
    """Return `session` with what was typed laid over its link, tcp and seed."""
    if not typed:
        raise SpecError("nothing to set", "name at least one value, for example `pqbed link set --rtt 35`")
    link, tcp = _lay_over(session.link, session.tcp, typed)
    seed = parse.parse_count("seed", typed["seed"], 0, LARGEST_SEED) if "seed" in typed else session.seed
    return replace(session, link=link, tcp=tcp, seed=seed)


def up_link(typed: Mapping[str, Any]) -> tuple[Link, Tcp]:
    """Return the link and TCP settings of a bed that has just come up: those typed, over the usual ones."""
    return _lay_over(UP_LINK, Tcp(), typed)


def _lay_over(link: Link, tcp: Tcp, typed: Mapping[str, Any]) -> tuple[Link, Tcp]:
    texts = ((axis, typed.get(option)) for option, axis in AXES.items())
    values = {axis.option: single_value(axis, text) for axis, text in texts if text is not None}
    return _checked(lay_over(link, values)), lay_over(tcp, values)


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


def single_value(axis: Axis, text: str) -> Any:
    """Return the one value of `axis` in `text`. Raises SpecError for a list."""
    values = axis.parse_values(text)
    if len(values) != 1:
        raise SpecError(f"{axis.flag}: {len(values)} values where one is wanted", "lists are for `pqbed sweep`")
    return values[0]


def _checked(link: Link) -> Link:
    if link.jitter_ns > link.rtt_ns // 2:
        raise SpecError("the jitter is more than one direction's delay", "give a smaller --jitter or a longer --rtt")
    return link
