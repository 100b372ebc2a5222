"""What was run and on what, as rows of a table, and how to run it again."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from pqbed.report.handshake_cpu import tell_handshakes
from pqbed.report.pressure import tell_pressures
from pqbed.report.report_data import Measured
from pqbed.store.manifest import LaneCheck, Manifest

SWEEP_FILE = "sweep.toml"
STUDY_FILE = "study.toml"

Fact = tuple[str, str]


def list_facts(manifest: Manifest, measured: Measured | None) -> list[Fact]:
    """Return name and value, in the order of interest; those that are empty are left out."""
    host = manifest.host
    facts: list[Fact] = [
        ("Bed", manifest.bed),
        ("Clock", manifest.clock),
        ("Kernel of the lanes", manifest.kernel),
        *((f"Version of {name}", version) for name, version in sorted(manifest.versions.items())),
        *((f"Artefact {name}", identity) for name, identity in sorted(manifest.artefacts.items())),
        ("pqbed", manifest.pqbed),
        ("Host", f"{host.system} {host.kernel} on {host.machine}, {host.cores} cores, {host.cpu_model}"),
        ("CPU of a handshake", _join(tell_handshakes(manifest))),
        ("Started", manifest.started),
        ("Ended", f"{manifest.ended or 'not ended'} ({manifest.state or 'unknown'})"),
        ("Taken up again", ", ".join(item.at for item in manifest.resumed)),
        ("Seed", str(manifest.seed)),
        ("Lanes that ran at once", ", ".join(map(_lanes, manifest.lane_checks))),
        ("CPU pressure", tell_pressures(manifest.pressure, manifest.clock)),
    ]
    if measured is not None:
        facts += [
            ("Profiles", _join(_profiles(measured))),
            ("A/A arm", f"a second copy of {measured.copy_of}" if measured.copy_of else ""),
            ("Links", _join(measured.cells["where"].unique(maintain_order=True).to_list())),
            ("All with", _join(list(measured.axes.common))),
            ("Sizes", _join(measured.sizes)),
            ("Samples", f"{int(measured.counts['n'].sum()):,} in {measured.counts.height} cells"),
        ]
    return [(name, value) for name, value in facts if value]


def _lanes(check: LaneCheck) -> str:
    if check.taken == check.asked:
        return f"{check.taken}, seen not to disturb one another"
    return f"{check.taken} of {check.asked} asked for: more disturb one another on this host"


def command_again(folder: Path, manifest: Manifest) -> str:
    """Return the command that measures the same anew."""
    if not (folder / SWEEP_FILE).is_file():
        return manifest.run_again
    return f"pqbed sweep --spec {shlex.quote(str(folder / SWEEP_FILE))}"


def read_sweep(folder: Path) -> str:
    """Return the sweep or study file of the run, empty where it has none."""
    paths = [path for name in (SWEEP_FILE, STUDY_FILE) if (path := folder / name).is_file()]
    return paths[0].read_text(encoding="utf-8", errors="replace") if paths else ""


def _profiles(measured: Measured) -> list[str]:
    rows = measured.cells.unique("profile", maintain_order=True).to_dicts()
    return [
        f"{row['profile']}: {row['group']}, {row['chain']} chain of {row['chain_depth']}"
        + (f" ({row['chain_wire_bytes']:,} bytes)" if row["chain_wire_bytes"] else "")
        + (", mutual" if row["mutual"] else "")
        for row in rows
    ]


def _join(items: Sequence[str]) -> str:
    return "; ".join(items)
