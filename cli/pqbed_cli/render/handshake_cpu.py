"""The CPU term of a run in virtual time: what a handshake of each profile computes."""

from pqbed.store.manifest import HandshakeCpu, Manifest
from pqbed_cli.render.table import Table

NS_PER_MS = 1_000_000


def handshake_tables(manifest: Manifest) -> list[Table]:
    """Return the table of it; none if it was not measured."""
    if not manifest.handshake_cpu:
        return []
    cpu = manifest.host.cpu_model
    title = f"CPU of {_article(manifest)} handshake in ms, not in the TTLB above: its public-key operations on {cpu}"
    rows = tuple(
        (_named(cost), f"{cost.client_ns / NS_PER_MS:.2f}", f"{cost.server_ns / NS_PER_MS:.2f}")
        for cost in manifest.handshake_cpu
    )
    return [Table(title=title, columns=("profile", "client", "server"), rows=rows, numeric=(1, 2))]


def _article(manifest: Manifest) -> str:
    alike = all(cost.connection == "full" for cost in manifest.handshake_cpu)
    return "a full" if alike else "a"


def _named(cost: HandshakeCpu) -> str:
    return cost.profile if cost.connection == "full" else f"{cost.profile}, {cost.connection}"
