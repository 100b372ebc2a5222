"""Cache of measured costs: one file per stack and CPU model, so that each algorithm is measured once."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pqbed.algorithm_table.handshake_cpu import Costs
from pqbed.algorithm_table.openssl_speed import group_cost, signature_cost
from pqbed.algorithm_table.stack_algorithms import TIMEOUT_S
from pqbed.artefacts.cache_entries import hash_inputs
from pqbed.atomic_files import write_atomic
from pqbed.beds.stack_programs import RunProgram
from pqbed.store.host_facts import read_host
from pqbed.tls.published_algorithms import published_groups, signatures_by_key
from pqbed.user_folders import cache_home

# Raised when what is measured, or how, changes.
FORMAT = "speed/1"


def costs_here(run: RunProgram, names: Sequence[str], on_name: Callable[[str], None]) -> Costs:
    """Return the costs of `names`; those not in the cache take about 3 s each. Raises HostError."""
    path = _path(run)
    known = _read(path)
    missing = [name for name in names if name not in known]
    for name in missing:
        on_name(name)
        known[name] = _measure(run, name)
    if missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(known, indent=2).encode())
    return {name: known[name] for name in names}


def _measure(run: RunProgram, name: str) -> Mapping[str, float]:
    if name in published_groups():
        return dict(group_cost(run, name).operations_ns)
    signature = signatures_by_key().get(name)
    return {} if signature is None else dict(signature_cost(run, signature.name).operations_ns)


def _path(run: RunProgram) -> Path:
    version = run(("openssl", "version", "-a"), TIMEOUT_S)
    key = hash_inputs(FORMAT, version.encode(), read_host().cpu_model.encode())
    return cache_home() / "speed" / f"{key}.json"


def _read(path: Path) -> dict[str, Mapping[str, float]]:
    try:
        costs = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or a damaged one: measure again
        return {}
    return costs if isinstance(costs, dict) else {}
