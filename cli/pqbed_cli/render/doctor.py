"""The checks of this host and its beds."""

from pqbed.doctor import Diagnosis
from pqbed.spec.json_codec import to_json
from pqbed_cli.flags import Form
from pqbed_cli.render.streams import beside, print_json
from pqbed_cli.render.table import Table, print_tables


def print_diagnosis(diagnosis: Diagnosis, form: Form) -> None:
    """Print the checks, the beds, how to fix what is missing, and what `--bed auto` takes."""
    if form == "json":
        print_json(to_json(diagnosis))
        return
    say = beside(form)
    checks = Table(
        columns=("check", "level", "found"),
        rows=tuple((check.name, check.level, check.found) for check in diagnosis.checks),
    )
    beds = Table(
        columns=("bed", "usable", "found"),
        rows=tuple((bed.bed, "yes" if bed.usable else "no", bed.found) for bed in diagnosis.beds),
    )
    print_tables([checks, beds], form)
    say("")
    for name, cure in _cures(diagnosis).items():
        say(f"{name}: {cure}")
    taken = diagnosis.auto or "nothing"
    say(f"--bed auto takes {taken}: {diagnosis.auto_reason}")


def _cures(diagnosis: Diagnosis) -> dict[str, str]:
    """Return each cure once, by what it mends."""
    cures = {check.name: check.cure for check in diagnosis.checks if check.cure}
    for bed in diagnosis.beds:
        if bed.cure and bed.cure not in cures.values():
            cures[f"{bed.bed} bed"] = bed.cure
    return cures
