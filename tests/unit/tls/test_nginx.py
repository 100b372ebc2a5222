import re
from dataclasses import replace
from pathlib import Path

from pqbed.spec.value_parsers import LONGEST_TIMEOUT_NS
from pqbed.tls.listener_settings import Listener
from pqbed.tls.nginx import nginx_configuration

# ngx_http_core_module's own limits that could end a fetch, or close its connection before the client does.
LIMITS = {
    "client_header_timeout",
    "client_body_timeout",
    "send_timeout",
    "keepalive_timeout",
    "lingering_timeout",
}


def test_nginx_has_connections_left_beside_its_ports() -> None:
    listener = Listener(port=1, chain=Path("c"), key=Path("k"), groups="X25519", signature="ed25519")
    text = nginx_configuration(Path("/run"), [replace(listener, port=port) for port in range(100)])
    assert "worker_connections 164;" in text


def test_every_time_out_of_nginx_is_above_the_longest_that_can_be_asked_for() -> None:
    text = nginx_configuration(Path("/run"), [])
    limits = {name: int(seconds) for name, seconds in re.findall(r"\b(\w+_timeout) (\d+)s;", text)}
    assert set(limits) == LIMITS
    assert min(limits.values()) * 10**9 > LONGEST_TIMEOUT_NS
