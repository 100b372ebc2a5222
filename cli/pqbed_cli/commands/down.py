from pqbed_cli.options import BedOption, Json


def down(bed: BedOption = None, json_output: Json = False) -> None:
    """Take the bed down: remove what pqbed started, and nothing else. Safe to call twice."""
    from pqbed.beds.teardown import remove_all
    from pqbed_cli.render.output import print_json, say

    removed = remove_all(bed)
    if json_output:
        print_json({"removed": removed})
        return
    for name in removed:
        say(f"removed {name}")
    say("nothing of pqbed is left" if removed else "nothing was up")
