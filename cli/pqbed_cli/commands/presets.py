from pqbed_cli.flags import TABLE, Format


def presets(form: Format = TABLE) -> None:
    """List the sweeps to start from. For `sweep --preset` and `init`."""
    from pqbed.spec.presets import preset_descriptions
    from pqbed_cli.render.sweep_file import print_presets

    print_presets(preset_descriptions(), form)
