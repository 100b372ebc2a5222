from pqbed_cli.options import BedOption, BuiltStacks, CaBundle, ClockOption, Json


def build(
    bed: BedOption = None,
    clock: ClockOption = None,
    stack: BuiltStacks = None,
    ca_bundle: CaBundle = None,
    json_output: Json = False,
) -> None:
    """Make what the bed needs (images, or a guest kernel and root file system): once, then it is found."""
    from pqbed.spec.parse import parse_stacks
    from pqbed_cli.render.output import print_json, say
    from pqbed_cli.render.table import Table, print_tables
    from pqbed_cli.workflows.beds import take_bed

    stacks = () if stack is None else parse_stacks(stack)
    with take_bed(bed, clock, json_output=json_output, ca_bundle=ca_bundle) as taken:
        artefacts = taken.prepare(stacks)
        if json_output:
            print_json({"bed": taken.bed.name, "clock": taken.bed.clock, "artefacts": artefacts})
            return
        if artefacts:
            print_tables([Table(columns=("artefact", "identity"), rows=tuple(sorted(artefacts.items())))])
        say("everything the bed needs is there")
