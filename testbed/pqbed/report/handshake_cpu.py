"""CPU time of handshakes as text: what a run in virtual time leaves out."""

from pqbed.store.manifest import Manifest

NS_PER_MS = 1_000_000


def describe_handshakes(manifest: Manifest) -> list[str]:
    """Return one line per measured profile: `pq: client 0.88 ms, server 1.15 ms`."""
    return [
        f"{cpu.profile}: client {cpu.client_ns / NS_PER_MS:.2f} ms, server {cpu.server_ns / NS_PER_MS:.2f} ms"
        for cpu in manifest.handshake_cpu
    ]
