"""The CPU term of a run in virtual time: what a handshake of each profile computes."""

from pqbed.store.manifest import Manifest
from pqbed_cli.render.table import Table

NS_PER_MS = 1_000_000


def handshake_tables(manifest: Manifest) -> list[Table]:
    """Return the table of it; none if it was not measured."""
    if not manifest.handshake_cpu:
        return []
    cpu = manifest.host.cpu_model
    title = f"CPU of a full handshake in ms, not in the TTLB above: its public-key operations on {cpu}"
    rows = tuple(
        (cost.profile, f"{cost.client_ns / NS_PER_MS:.2f}", f"{cost.server_ns / NS_PER_MS:.2f}")
        for cost in manifest.handshake_cpu
    )
    return [Table(title=title, columns=("profile", "client", "server"), rows=rows, numeric=(1, 2))]
