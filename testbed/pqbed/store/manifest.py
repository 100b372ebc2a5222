"""manifest.json: provenance of a run, and the command that repeats it.

Versions and hashes only, field by field: never a key, never the environment.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pqbed import __version__
from pqbed.atomic_files import translate_os_errors, write_atomic
from pqbed.errors import SpecError, StoreError
from pqbed.spec.guest_kernels import DEFAULT_KERNEL, series_of
from pqbed.spec.json_codec import from_json, to_json
from pqbed.spec.metric import TTLB
from pqbed.store.host_facts import HostFacts, installed_packages, read_host
from pqbed.store.table_schemas import check_id

RUN_ID = "pqbed.run/1"
MANIFEST_NAME = "manifest.json"
NO_RUN_HINT = "name a folder under results/ that `pqbed sweep` made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """A resumption of the run: when, with which command, on which host, by which pqbed, after how many samples."""

    at: str
    command: tuple[str, ...]
    host: HostFacts
    pqbed: str = ""
    samples: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTrial:
    """The same fetches on `lanes` lanes at once and on one lane alone. None: too few fetches, or failures."""

    lanes: int
    agrees: bool
    p50_change_pct: float | None
    p90_ns: float | None
    p90_alone_high_ns: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCheck:
    """Lane check before a sweep on the real clock: of `asked` lanes, `taken` do not slow one another down.

    `fetches`: how often the cell was fetched on one lane alone.
    """

    at: str
    asked: int
    taken: int
    cell_id: str
    fetches: int
    trials: tuple[LaneTrial, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """CPU contention in parts per million of a time; None: not reported by this host.

    `cpu_pressure_ppm`: some runnable task waited for a CPU. `cpu_steal_ppm`: CPU time that the hypervisor gave to
    others. `cpu_throttled_ppm`: a limit on our cgroup stopped us.
    """

    cpu_pressure_ppm: int | None = None
    cpu_steal_ppm: int | None = None
    cpu_throttled_ppm: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeCpu:
    """CPU time of the public-key operations in one handshake of `profile`, measured natively on the run's host.

    `connection`: full, or resumed, which signs and verifies nothing.
    """

    profile: str
    client_ns: int
    server_ns: int
    connection: str = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`kernel` and `versions` are those of the lanes, `artefacts` the bed's images and file systems by hash.

    `plan` is the hash of the resolved plan, empty in runs of an older pqbed. With `precision_ppm` a cell has as many
    samples as that took, at most `max_samples`; `metric` is that of the table and of the
    precision. `packages` are the Python packages of this environment. `pressure` has
    one entry per process that worked on the run. `handshake_cpu` is what virtual time leaves out, empty if not
    measured. Times are UTC, ISO 8601; `ended` None: not ended, or killed.
    """

    schema: str = RUN_ID
    pqbed: str
    command: tuple[str, ...]
    run_again: str
    bed: str
    clock: str
    seed: int
    plan: str = ""
    precision_ppm: int | None = None
    max_samples: int | None = None
    metric: str = TTLB.name
    started: str
    ended: str | None = None
    state: str | None = None
    kernel: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    sysctls: dict[str, str] = field(default_factory=dict)
    artefacts: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    host: HostFacts
    resumed: tuple[Resumption, ...] = ()
    lane_checks: tuple[LaneCheck, ...] = ()
    pressure: tuple[Pressure, ...] = ()
    handshake_cpu: tuple[HandshakeCpu, ...] = ()


def start_manifest(
    *,
    command: Sequence[str],
    bed: str,
    clock: str,
    seed: int,
    artefacts: Mapping[str, str],
    plan: str = "",
    run_again: str = "",
) -> Manifest:
    """Return the manifest of a run that starts now, on this host."""
    return Manifest(
        pqbed=__version__,
        command=tuple(command),
        run_again=run_again or shlex.join(command),
        bed=bed,
        clock=clock,
        seed=seed,
        plan=plan,
        started=utc_now(),
        artefacts=dict(artefacts),
        packages=dict(installed_packages()),
        host=read_host(),
    )


def resume_manifest(manifest: Manifest, command: Sequence[str], samples: int) -> Manifest:
    """Return `manifest` with one more resumption, now and on this host, of a run that has `samples`."""
    resumption = Resumption(at=utc_now(), command=tuple(command), host=read_host(), pqbed=__version__, samples=samples)
    return replace(manifest, resumed=(*manifest.resumed, resumption), ended=None, state=None)


def unusual_kernel(manifest: Manifest) -> str:
    """Return the release of the guests' kernel if it is not of the default series, else ""."""
    named = manifest.bed == "uml" and series_of(manifest.kernel) not in {"", DEFAULT_KERNEL}
    return manifest.kernel if named else ""


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def dump_manifest(manifest: Manifest) -> bytes:
    return (json.dumps(to_json(manifest), indent=2) + "\n").encode()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in `folder` atomically."""
    write_atomic(folder / MANIFEST_NAME, dump_manifest(manifest))


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of `folder`. Raises StoreError if it is no run, or one of a newer pqbed."""
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise StoreError(f"{folder} is not a run directory: it has no {MANIFEST_NAME}", NO_RUN_HINT)
    with translate_os_errors(path):
        text = path.read_text(encoding="utf-8", errors="replace")
    try:
        fields_by_name = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is not JSON: {error}", NO_RUN_HINT) from error
    if not isinstance(fields_by_name, dict):
        raise StoreError(f"{path} is not a JSON object", NO_RUN_HINT)
    check_id(str(fields_by_name.get("schema")), RUN_ID, path)
    try:
        return from_json(Manifest, _known(fields_by_name))
    except SpecError as error:
        raise StoreError(f"{path} cannot be read: {error.message}", NO_RUN_HINT) from error


def _known(fields_by_name: dict[str, Any]) -> dict[str, Any]:
    """Drop fields that a later pqbed added: they may be added under the same schema number."""
    names = {item.name for item in fields(Manifest)}
    return {name: value for name, value in fields_by_name.items() if name in names}
