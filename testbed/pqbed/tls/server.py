"""The server: one nginx with one port a profile, so that a sweep never restarts it between arms."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pqbed.errors import HostError
from pqbed.spec.profile import Chain, Profile, chain_text
from pqbed.tls.chains import ChainFiles, Side, make_chain
from pqbed.tls.credentials import Credentials
from pqbed.tls.groups import GROUP_HEADER
from pqbed.tls.served import Served
from pqbed.tls.signatures import KEY_KINDS
from pqbed.tls.support import Support, probe_support

FIRST_PORT = 4433
START_TIMEOUT_S = 20.0

_FRAME = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  default_type application/octet-stream;
  tcp_nodelay on;
  ssl_protocols TLSv1.3;
  ssl_session_cache off;
  ssl_session_tickets off;
  root {folder}/www;
{servers}}}
"""
_SERVER = """\
  server {{
    listen {port} ssl;
    ssl_certificate {chain}; ssl_certificate_key {key};
    ssl_ecdh_curve {group};
    ssl_conf_command SignatureAlgorithms {scheme};
    # Without this OpenSSL sends two stateful tickets whatever nginx was told (SSL_CTX_set_num_tickets).
    ssl_conf_command NumTickets 0;
    add_header {header} $ssl_curve;
{mutual}  }}
"""
# The client's scheme is restricted as the server's is: the server asks for no other.
_MUTUAL = """\
    ssl_verify_client on; ssl_client_certificate {root}; ssl_verify_depth {depth};
    ssl_conf_command ClientSignatureAlgorithms {scheme};
    # OpenSSL's client would compress its chain (RFC 8879), as nginx does not the server's: padding would vanish.
    ssl_conf_command Options -RxCertificateCompression;
"""

Chains = dict[tuple[Side, Chain], ChainFiles]


class Server:
    """Owns an nginx process and the folder (on a tmpfs) with its keys, configuration and bodies."""

    def __init__(self, folder: Path, enter: Callable[[], None] | None = None) -> None:
        """Keep everything in `folder`; `enter` is called in the child before nginx, to enter its namespace."""
        self._folder = folder
        self._enter = enter
        self._process: subprocess.Popen[bytes] | None = None
        self._credentials: tuple[Credentials, ...] = ()

    def start(self, profiles: Sequence[Profile]) -> tuple[Served, ...]:
        """Make the chains and start nginx; return the profiles this stack can serve (it may lack some)."""
        (self._folder / "www").mkdir(mode=0o755, parents=True, exist_ok=True)
        support = probe_support()
        able = [profile for profile in profiles if support.reason_against(profile) == ""]
        chains = self._make_chains(able)
        served = tuple(_serve(profile, FIRST_PORT + i, chains) for i, profile in enumerate(able))
        self._credentials = _take_credentials(able, chains)
        blocks = "".join(_server_block(one, chains) for one in served)
        (self._folder / "nginx.conf").write_text(_FRAME.format(folder=self._folder, servers=blocks))
        self.restart()
        return served

    def credentials(self) -> tuple[Credentials, ...]:
        """Return what the clients of mutual profiles prove themselves with; for the client, and nobody else."""
        return self._credentials

    def support(self) -> Support:
        """Say what this stack's OpenSSL offers."""
        return probe_support()

    def offer(self, size_bytes: int) -> None:
        """Make the body of `size_bytes`, served as `/<size_bytes>`."""
        body = self._folder / "www" / str(size_bytes)
        if not body.exists():
            body.write_bytes(bytes(size_bytes))

    def alive(self) -> bool:
        """Tell whether nginx runs."""
        return self._process is not None and self._process.poll() is None

    def restart(self) -> None:
        """Start nginx, ending the one that runs. Raises HostError when it does not come up."""
        self.stop()
        pid_file = self._folder / "nginx.pid"
        pid_file.unlink(missing_ok=True)
        command = ["nginx", "-p", str(self._folder), "-e", str(self._folder / "error.log")]
        command += ["-c", str(self._folder / "nginx.conf")]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=self._enter,  # noqa: PLW1509 - one system call; no thread of the agent runs then
            start_new_session=True,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _written(pid_file):
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self._folder / "error.log").read_text(errors="replace").strip()
                raise HostError(f"nginx did not start: {log[-300:]}")
            time.sleep(0.005)

    def stop(self) -> None:
        """End nginx, if it runs."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=START_TIMEOUT_S)
        # A master that was killed leaves its worker, which would go on holding the ports.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _make_chains(self, profiles: Sequence[Profile]) -> Chains:
        wanted: dict[tuple[Side, Chain], None] = {}
        for profile in profiles:
            wanted["server", profile.chain] = None
            if profile.clients_chain is not None:
                wanted["client", profile.clients_chain] = None
        keys = self._folder / "keys"
        return {
            (side, chain): make_chain(chain, keys / f"{side}-{chain_text(chain)}-{chain.depth}", side)
            for side, chain in wanted
        }


def _written(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _serve(profile: Profile, port: int, chains: Chains) -> Served:
    files = chains["server", profile.chain]
    client_chain = profile.clients_chain
    return Served(
        profile=profile,
        port=port,
        root_pem=files.root.read_text(),
        certificate_wire_bytes=files.wire_bytes,
        signature=KEY_KINDS[profile.chain.algorithm].scheme,
        client_certificate_wire_bytes=None if client_chain is None else chains["client", client_chain].wire_bytes,
    )


def _take_credentials(profiles: Sequence[Profile], chains: Chains) -> tuple[Credentials, ...]:
    """Read the clients' chains and keys, and remove the keys: the server needs none of them."""
    found = []
    for profile in profiles:
        if profile.clients_chain is not None:
            files = chains["client", profile.clients_chain]
            chain_pem, key_pem = files.sent.read_text(), files.key.read_text()
            found.append(Credentials(profile=profile.name, chain_pem=chain_pem, key_pem=key_pem))
    for (side, _chain), files in chains.items():
        if side == "client":
            files.key.unlink()
    return tuple(found)


def _server_block(served: Served, chains: Chains) -> str:
    files = chains["server", served.profile.chain]
    return _SERVER.format(
        port=served.port,
        chain=files.sent,
        key=files.key,
        group=served.profile.group,
        scheme=served.signature,
        header=GROUP_HEADER,
        mutual=_mutual_lines(served.profile.clients_chain, chains),
    )


def _mutual_lines(chain: Chain | None, chains: Chains) -> str:
    if chain is None:
        return ""
    scheme = KEY_KINDS[chain.algorithm].scheme
    return _MUTUAL.format(root=chains["client", chain].root, depth=chain.depth, scheme=scheme)
