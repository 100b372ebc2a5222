"""The CPU time of handshakes in words: what a run in virtual time leaves out."""

from pqbed.store.manifest import Manifest

NS_PER_MS = 1_000_000


def tell_handshakes(manifest: Manifest) -> list[str]:
    """Return a line a profile: `pq: client 0.88 ms, server 1.15 ms`; none where it was not measured."""
    return [
        f"{one.profile}: client {one.client_ns / NS_PER_MS:.2f} ms, server {one.server_ns / NS_PER_MS:.2f} ms"
        for one in manifest.handshake_cpu
    ]
