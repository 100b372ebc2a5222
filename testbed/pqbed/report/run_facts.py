"""Facts of a run as rows of a table: bed, host, versions, profiles; and the command that repeats it."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from pqbed.report.cpu_contention import describe_pressures
from pqbed.report.handshake_cpu import describe_handshakes
from pqbed.report.report_data import ReportData
from pqbed.store.manifest import LaneCheck, Manifest

SWEEP_FILE = "sweep.toml"
STUDY_FILE = "study.toml"

Fact = tuple[str, str]


def list_facts(manifest: Manifest, data: ReportData | None) -> list[Fact]:
    """Return (name, value) pairs, most interesting first; empty ones are left out."""
    host = manifest.host
    facts: list[Fact] = [
        ("Bed", manifest.bed),
        ("Clock", manifest.clock),
        ("Kernel of the lanes", manifest.kernel),
        *((f"Version of {name}", version) for name, version in sorted(manifest.versions.items())),
        *((f"Artefact {name}", digest) for name, digest in sorted(manifest.artefacts.items())),
        ("pqbed", manifest.pqbed),
        ("Host", f"{host.system} {host.kernel} on {host.machine}, {host.cores} cores, {host.cpu_model}"),
        ("CPU of a handshake", _join(describe_handshakes(manifest))),
        ("Started", manifest.started),
        ("Ended", f"{manifest.ended or 'not ended'} ({manifest.state or 'unknown'})"),
        ("Resumed", ", ".join(item.at for item in manifest.resumed)),
        ("Seed", str(manifest.seed)),
        ("Lanes in parallel", ", ".join(map(_lanes, manifest.lane_checks))),
        ("CPU contention", describe_pressures(manifest.pressure, manifest.clock)),
    ]
    if data is not None:
        facts += [
            ("Profiles", _join(_profiles(data))),
            ("A/A arm", f"a second copy of {data.copy_of}" if data.copy_of else ""),
            ("Links", _join(data.cells["where"].unique(maintain_order=True).to_list())),
            ("All with", _join(list(data.axes.common))),
            ("Sizes", _join(data.sizes)),
            ("Samples", f"{int(data.counts['n'].sum()):,} in {data.counts.height} cells"),
        ]
    return [(name, value) for name, value in facts if value]


def _lanes(check: LaneCheck) -> str:
    if check.taken == check.asked:
        return f"{check.taken}, checked not to slow one another down"
    return f"{check.taken} of {check.asked} requested: more slow one another down on this host"


def command_again(folder: Path, manifest: Manifest) -> str:
    """Return the command that repeats the run."""
    if not (folder / SWEEP_FILE).is_file():
        return manifest.run_again
    return f"pqbed sweep --spec {shlex.quote(str(folder / SWEEP_FILE))}"


def read_sweep(folder: Path) -> str:
    """Return the text of the sweep or study file of the run, empty if it has none."""
    paths = [path for name in (SWEEP_FILE, STUDY_FILE) if (path := folder / name).is_file()]
    return paths[0].read_text(encoding="utf-8", errors="replace") if paths else ""


def _profiles(data: ReportData) -> list[str]:
    rows = data.cells.unique("profile", maintain_order=True).to_dicts()
    return [
        f"{row['profile']}: {row['group']}, {row['chain']} chain of {row['chain_depth']}"
        + (f" ({row['chain_wire_bytes']:,} bytes)" if row["chain_wire_bytes"] else "")
        + (", mutual" if row["mutual"] else "")
        for row in rows
    ]


def _join(items: Sequence[str]) -> str:
    return "; ".join(items)
