"""Where a cluster is: worker processes of this machine, the address of a scheduler, or its scheduler file."""

import re
from dataclasses import dataclass
from pathlib import Path

from pqbed.errors import SpecError
from pqbed.spec.run_options import MOST_LANES
from pqbed.spec.value_parsers import parse_count

_LOCAL = "local:"
_ADDRESS = re.compile(r"(tcp|tls)://[^\s/:]+(:[^\s/:]+)*:\d{1,5}|(tcp|tls)://\[[0-9A-Fa-f:.]+\]:\d{1,5}")
_HINT = "give local:4, tcp://host:8786, tls://host:8786, or the path of a scheduler file"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAddress:
    """One of the three: `workers` processes to start on this machine, a scheduler's address, or its file."""

    workers: int | None = None
    scheduler: str | None = None
    file: Path | None = None


def parse_cluster_address(text: str) -> ClusterAddress:
    """Return what `--cluster` names. Raises SpecError."""
    if text.startswith(_LOCAL):
        return ClusterAddress(workers=parse_count("cluster", text.removeprefix(_LOCAL), 1, MOST_LANES, bare=True))
    if _ADDRESS.fullmatch(text):
        return ClusterAddress(scheduler=text)
    path = Path(text)
    if "://" in text or not text:
        raise SpecError(f"--cluster {text or repr(text)} is no address of a scheduler", _HINT)
    if not path.is_file():
        raise SpecError(f"--cluster {text}: there is no such scheduler file", _HINT)
    return ClusterAddress(file=path)
