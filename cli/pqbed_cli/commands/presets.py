from pqbed_cli.flags import Json


def presets(json_output: Json = False) -> None:
    """List the sweeps to start from. For `sweep --preset` and `init`."""
    from pqbed.spec.presets import preset_descriptions
    from pqbed_cli.render.sweep_file import print_presets

    print_presets(preset_descriptions(), json_output=json_output)
