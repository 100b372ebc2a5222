"""The server: one nginx with one port a profile, so that a sweep never restarts it between arms."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pqbed.errors import HostError
from pqbed.spec.profile import Chain, Profile
from pqbed.tls.chains import ChainFiles, make_chain
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
  }}
"""


class Server:
    """Owns an nginx process and the folder (on a tmpfs) with its keys, configuration and bodies."""

    def __init__(self, folder: Path, enter: Callable[[], None] | None = None) -> None:
        """Keep everything in `folder`; `enter` is called in the child before nginx, to enter its namespace."""
        self._folder = folder
        self._enter = enter
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, profiles: Sequence[Profile]) -> tuple[Served, ...]:
        """Make the chains and start nginx; return the profiles this stack can serve (it may lack some)."""
        (self._folder / "www").mkdir(mode=0o755, parents=True, exist_ok=True)
        support = probe_support()
        able = [profile for profile in profiles if support.reason_against(profile) == ""]
        chains = self._make_chains(able)
        served = tuple(_serve(profile, FIRST_PORT + i, chains[profile.chain]) for i, profile in enumerate(able))
        blocks = "".join(_server_block(one, chains[one.profile.chain]) for one in served)
        (self._folder / "nginx.conf").write_text(_FRAME.format(folder=self._folder, servers=blocks))
        self.restart()
        return served

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

    def _make_chains(self, profiles: Sequence[Profile]) -> dict[Chain, ChainFiles]:
        wanted = dict.fromkeys(profile.chain for profile in profiles)
        keys = self._folder / "keys"
        return {chain: make_chain(chain, keys / f"{chain.algorithm}-{chain.depth}") for chain in wanted}


def _written(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _serve(profile: Profile, port: int, files: ChainFiles) -> Served:
    return Served(
        profile=profile,
        port=port,
        root_pem=files.root.read_text(),
        certificate_wire_bytes=files.wire_bytes,
        signature=KEY_KINDS[profile.chain.algorithm].scheme,
    )


def _server_block(served: Served, files: ChainFiles) -> str:
    return _SERVER.format(
        port=served.port,
        chain=files.sent,
        key=files.key,
        group=served.profile.group,
        scheme=served.signature,
        header=GROUP_HEADER,
    )
