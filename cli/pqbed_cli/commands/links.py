from pqbed_cli.flags import Json


def links(json_output: Json = False) -> None:
    """List the named links for --link. Values and sources."""
    from pqbed.spec.link_presets import builtin_links
    from pqbed_cli.render.links import print_links

    print_links(tuple(builtin_links().values()), json_output=json_output)
