"""The server: on the loopback address of this host alone, until it is interrupted."""

import secrets
import socket
import sys
from pathlib import Path

import uvicorn

from pqbed.errors import HostError
from pqbed_cli.options import ServeOptions
from pqbed_cli.render.streams import echo, note
from pqbed_cli.serve.app import Site
from pqbed_cli.serve.guard import Guard
from pqbed_cli.serve.run_states import Runs
from pqbed_cli.serve.sweep_processes import SweepProcesses
from pqbed_cli.workflows.open_browser import open_address
from pqbed_cli.workflows.sweep_request import read_port

HOST = "127.0.0.1"
# Event streams have no end of their own.
GRACE_S = 1


def serve(options: ServeOptions) -> None:
    """Serve the runs of a folder and print the address; sweeps that were started outlive the server."""
    folder = Path(options.out)
    processes = SweepProcesses(folder)
    with _listen(read_port(options.port)) as listener:
        port, token = listener.getsockname()[1], secrets.token_urlsafe(24)
        base = f"/{token}/"
        hosts = frozenset(f"{name}:{port}" for name in (HOST, "localhost"))
        app = Guard(Site(Runs(folder), processes, base).application(), token, hosts)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=GRACE_S
        )
        address = f"http://{HOST}:{port}{base}"
        echo(address)
        sys.stdout.flush()  # a script may wait for it
        note("Ctrl-C ends the server; the address has a token and is for you alone")
        if options.open_page:
            open_address(address)
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            note("the server has ended")
    for command in processes.running():
        note(f"goes on: {command}")


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()  # from here on, whoever opens the address waits for an answer
    except OSError as error:
        listener.close()
        raise HostError(f"--port: cannot listen on {HOST}:{port}: {error.strerror}", "name another port") from error
    return listener
