"""CPU time of handshakes as text: what a run in virtual time leaves out."""

from pqbed.store.manifest import HandshakeCpu, Manifest

NS_PER_MS = 1_000_000


def describe_handshakes(manifest: Manifest) -> list[str]:
    """Return one line per measured profile: `pq: client 0.88 ms, server 1.15 ms`."""
    return [
        f"{_named(cpu)}: client {cpu.client_ns / NS_PER_MS:.2f} ms, server {cpu.server_ns / NS_PER_MS:.2f} ms"
        for cpu in manifest.handshake_cpu
    ]


def _named(cpu: HandshakeCpu) -> str:
    return cpu.profile if cpu.connection == "full" else f"{cpu.profile}, {cpu.connection}"
