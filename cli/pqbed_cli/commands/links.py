from pqbed_cli.flags import TABLE, Format


def links(form: Format = TABLE) -> None:
    """List the named links for --link. Values and sources."""
    from pqbed.spec.link_presets import builtin_links
    from pqbed_cli.render.links import print_links

    print_links(tuple(builtin_links().values()), form)
