"""The bed that `pqbed up` starts: its link and profiles, set, shown and fetched over."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pqbed.beds.teardown import owners, remove_all
from pqbed.beds.up_session import (
    Session,
    fetch_in_session,
    find_session,
    measure_session_link,
    open_session_lane,
    read_session,
    set_session_link,
    start_session,
    why_lost,
)
from pqbed.errors import SpecError
from pqbed.net.link_state import LinkState
from pqbed.spec import value_parsers
from pqbed.spec.axes import AXES, Axis
from pqbed.spec.builtin_profiles import builtin_profiles
from pqbed.spec.grid import lay_over
from pqbed.spec.link import Link
from pqbed.spec.link_checks import check_link
from pqbed.spec.link_presets import LINK_AXES, builtin_links, parse_links, whole_link
from pqbed.spec.link_sides import SIDES, delay_of, jitter_of
from pqbed.spec.name_suggestions import known_name
from pqbed.spec.profile import Profile, stacks_of
from pqbed.spec.stack_pairs import pair_profiles
from pqbed.spec.tcp import Tcp
from pqbed_cli.options import FetchOptions, SetLinkOptions, UpOptions
from pqbed_cli.workflow_results import ArmFetches, LinkReading, SessionStatus
from pqbed_cli.workflows.open_bed import open_bed, open_session_bed
from pqbed_cli.workflows.sweep_request import read_run_option

UP_LINK = Link(rtt_ns=35_000_000, bandwidth_bps=1_000_000)
LARGEST_SEED = 2**63 - 1
MOST_FETCHES = 100_000


def up(options: UpOptions) -> tuple[Session, LinkState]:
    """Start a bed with one lane; return what is kept of it, and its link as the kernel has it."""
    profiles = _profiles(options.profile)
    link, tcp = _lay_over(UP_LINK, Tcp(), options.axes)
    kernel = read_run_option("kernel", options.kernel)
    with open_bed(options.bed, options.clock, kernel=kernel, ca_bundle=options.ca_bundle) as opened:
        opened.prepare(stacks_of(profiles))
        bed = opened.bed
        session = Session(bed=bed.name, clock=bed.clock, profiles=profiles, link=link, tcp=tcp, guest_kernel=kernel)
        return start_session(bed, session)


def status() -> SessionStatus:
    session = find_session()
    return SessionStatus(session=session, gone="" if session is None else why_lost(session))


def down(bed: str | None, *, everyone: bool = False, images: bool = False) -> tuple[str, ...]:
    """Remove everything that this user, or everyone, started, and images if asked; return what that was."""
    return remove_all(read_run_option("bed", bed), everyone=everyone, images=images)


def things_by_owner() -> dict[str, tuple[str, ...]]:
    """Return what `down` with everyone's things would remove from engines, by owner."""
    return owners()


def read_link(*, measure: bool) -> LinkReading:
    """Read the link back from the kernel, and measure it if asked to."""
    session = read_session()
    with (
        open_session_bed(session) as opened,
        open_session_lane(opened.bed, session) as lane,
    ):
        return LinkReading(state=lane.read_link(), measured=measure_session_link(lane, session) if measure else None)


def set_link(options: SetLinkOptions) -> LinkState:
    """Set the link and read it back. What is not given keeps its value."""
    if not options.axes and options.seed is None:
        raise SpecError("nothing to set", "name at least one value, for example `pqbed link set --rtt 35`")
    session = read_session()
    link, tcp = _lay_over(session.link, session.tcp, options.axes)
    seed = session.seed if options.seed is None else value_parsers.parse_count("seed", options.seed, 0, LARGEST_SEED)
    with open_session_bed(session) as opened:
        return set_session_link(opened.bed, replace(session, link=link, tcp=tcp, seed=seed))


def fetch(options: FetchOptions) -> list[ArmFetches]:
    """Fetch over the link, with each pair of stacks."""
    session = read_session()
    profiles = _session_profiles(session, options)
    size_bytes = _single_value(AXES["size"], options.size)
    count = value_parsers.parse_count("count", options.count, 1, MOST_FETCHES)
    timeout_ns = value_parsers.parse_timeout(options.timeout)
    with (
        open_session_bed(session) as opened,
        open_session_lane(opened.bed, replace(session, profiles=profiles), timeout_ns) as lane,
    ):
        return [
            ArmFetches(
                profile=profile,
                size_bytes=size_bytes,
                timings=list(fetch_in_session(lane, session, profile, size_bytes, count)),
            )
            for profile in profiles
        ]


def _lay_over(link: Link, tcp: Tcp, texts: Mapping[str, str]) -> tuple[Link, Tcp]:
    """Return `link` and `tcp` with the values in `texts` (by option) laid over them."""
    values = {option: _single_value(AXES[option], text) for option, text in texts.items()}
    link = lay_over(_base_link(link, texts), {option: value for option, value in values.items() if option != "link"})
    if min(delay_of(link, side) for side in SIDES) < 0:
        raise SpecError("--delay-up is more than --rtt, of which it is a part", "give a smaller --delay-up")
    if any(jitter_of(link, side) > delay_of(link, side) for side in SIDES):
        delay = "half of --rtt" if link.delay_up_ns is None else "the delay of a direction"
        raise SpecError(f"--jitter is more than {delay}", "give a smaller --jitter or a longer --rtt")
    tcp = lay_over(tcp, values)
    check_link(link, tcp.mtu)
    return link, tcp


def _base_link(link: Link, texts: Mapping[str, str]) -> Link:
    """Return the link that is named in `texts`, or `link`, which has no name any more if other values change it."""
    if "link" in texts:
        return next((whole_link(named, link) for named in parse_links(texts["link"], builtin_links())), link)
    return replace(link, name=None) if texts.keys() & LINK_AXES.keys() else link


def _single_value(axis: Axis, text: str) -> Any:
    """Return the one value of `axis` in `text`. Raises SpecError for a list."""
    values = axis.parse_values(text)
    if len(values) != 1:
        raise SpecError(f"{axis.flag} takes one value, and {len(values)} were given", "lists are for `pqbed sweep`")
    return values[0]


def _profiles(text: str | None) -> tuple[Profile, ...]:
    """Return the profiles named, or all that come with pqbed."""
    known = builtin_profiles()
    return value_parsers.parse_profiles(text, known) if text is not None else tuple(known.values())


def _session_profiles(session: Session, options: FetchOptions) -> tuple[Profile, ...]:
    """Return the profile named, or the first that is served, on each pair of stacks."""
    served = {profile.name: profile for profile in session.profiles}
    with value_parsers.naming("--profile"):
        name = options.profile
        profile = session.profiles[0] if name is None else served[known_name(name, served, "profile on this bed")]
    return pair_profiles(
        (profile,),
        None if options.stack is None else value_parsers.parse_stacks(options.stack),
        None if options.client_stack is None else value_parsers.parse_client_stacks(options.client_stack),
    )
