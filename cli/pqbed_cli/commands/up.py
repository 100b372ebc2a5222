import typer

from pqbed_cli.options import BedOption, CaBundle, ClockOption, Json, Profiles, axis_options, takes


@takes(axis_options("link", "tcp", single=True))
def up(
    context: typer.Context,
    bed: BedOption = None,
    clock: ClockOption = None,
    profile: Profiles = None,
    ca_bundle: CaBundle = None,
    json_output: Json = False,
) -> None:
    """Bring a bed up for `link` and `fetch`: make what it needs, start a lane, set the link and read it back."""
    from pqbed.beds.session import Session, start_session
    from pqbed.spec.codec import to_json
    from pqbed.spec.profile import stacks_of
    from pqbed_cli.link_text import profiles_from, up_link
    from pqbed_cli.render.output import print_json, say
    from pqbed_cli.render.session import print_state
    from pqbed_cli.taking import take_bed

    profiles, (link, tcp) = profiles_from(profile), up_link(context.params)
    with take_bed(bed, clock, json_output=json_output, ca_bundle=ca_bundle) as taken:
        taken.prepare(stacks_of(profiles))
        wanted = Session(bed=taken.bed.name, clock=taken.bed.clock, profiles=profiles, link=link, tcp=tcp)
        session, state = start_session(taken.bed, wanted)
    if json_output:
        print_json({"session": to_json(session), "link": to_json(state)})
        return
    say(f"up: {session.bed} bed, {session.clock} clock, kernel {session.kernel}")
    print_state(state)
    say("next: pqbed link set --rtt 35 --loss 1, or pqbed fetch")
