"""What must be the same on every worker of a run: pqbed and its code, Python, the artefacts of the bed."""

import hashlib
import platform
from collections.abc import Mapping
from pathlib import Path

import pqbed
from pqbed.errors import HostError

NONE = "none"


def identify(artefacts: Mapping[str, str]) -> dict[str, str]:
    """Return the identity of this process, whose bed has these `artefacts`."""
    return {
        "pqbed": f"{pqbed.__version__} {_code_hash()}",
        "Python": platform.python_version(),
        **artefacts,
    }


def refuse_differences(wanted: Mapping[str, str], workers: Mapping[str, Mapping[str, str]]) -> None:
    """Raise HostError if a worker (by address) is not what `wanted`, the identity of the coordinator, says."""
    for address, identity in workers.items():
        names = sorted(wanted.keys() | identity.keys())
        pairs = ((name, wanted.get(name, NONE), identity.get(name, NONE)) for name in names)
        differences = [f"{name} is {there} there and {here} here" for name, here, there in pairs if here != there]
        if differences:
            raise HostError(
                f"worker {address} would take other samples: {'; '.join(differences)}",
                "give all workers and this machine the same pqbed, Python and artefacts (docs/how-to/cluster.md)",
            )


def _code_hash() -> str:
    """Return 12 hexadecimal digits for the package's own source: a version under development is not enough."""
    folder = Path(pqbed.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]
