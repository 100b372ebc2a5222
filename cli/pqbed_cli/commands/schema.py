def schema() -> None:
    """Print the JSON schema of a sweep file. For editors that check or complete TOML."""
    from pqbed.spec.sweep_form import sweep_schema
    from pqbed_cli.render.streams import print_json

    print_json(sweep_schema())
