from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import BuildOptions, takes


@takes(BuildOptions)
def build(options: BuildOptions, form: Format = TABLE) -> None:
    """Build what a bed needs. Images, or a guest kernel and root file system; later commands use them from a cache."""
    from pqbed_cli.render.built_artefacts import print_built
    from pqbed_cli.workflows import open_bed as beds

    print_built(beds.build(options), form)
