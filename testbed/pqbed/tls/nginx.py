"""nginx configuration: one process with one port per profile, so that a sweep never restarts it between arms."""

from collections.abc import Sequence
from pathlib import Path

from pqbed.spec.value_parsers import LONGEST_TIMEOUT_NS
from pqbed.spec.workload import Http
from pqbed.tls.group_names import GROUP_HEADER
from pqbed.tls.listener_settings import Listener

# Only the client ends a fetch that takes too long. nginx's own limits are 60 s (the first includes the handshake), 75 s
# when idle, and 5 s: less than a handshake takes on a slow link.
_PATIENCE_S = 2 * LONGEST_TIMEOUT_NS // 10**9

# Connections at a time, to which nginx counts every port that it listens on.
_FETCHES = 64

_FRAME = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  default_type application/octet-stream;
  tcp_nodelay on;
  client_header_timeout {patience}s; client_body_timeout {patience}s; send_timeout {patience}s;
  keepalive_timeout {patience}s; lingering_timeout {patience}s;
  ssl_protocols TLSv1.3;
  ssl_session_cache off;
  ssl_session_tickets off;
  root {folder}/www;
{servers}}}
"""
_SERVER = """\
  server {{
{listen}
    ssl_certificate {chain}; ssl_certificate_key {key};
    ssl_ecdh_curve {groups};
    ssl_conf_command SignatureAlgorithms {scheme};
{staple}{sessions}{mutual}  }}
"""
# HTTP/2 is chosen by ALPN, which a client of HTTP/1.1 does not send.
_LISTEN_TCP = """\
    listen {port} ssl;{http2}"""
# A server block of its own, so that nothing of QUIC is in the TLS of TCP. What a stream may hold bounds how much of a
# response is sent in a round trip, whatever the window is: 64 KiB without the directive.
_LISTEN_QUIC = """\
    listen {port} quic;
    http3_stream_buffer_size 64m;"""
_STAPLE = """\
    ssl_stapling on; ssl_stapling_file {response};
"""
_NO_SESSIONS = """\
    # Without this OpenSSL sends two stateful tickets whatever nginx was told (SSL_CTX_set_num_tickets).
    ssl_conf_command NumTickets 0;
    add_header {header} $ssl_curve;
"""
# Tickets by the key that nginx makes at its start. `r` is said of a session that was resumed, `1` of early data.
_TICKETS = """\
    ssl_session_tickets on;
    add_header {header} "$ssl_curve $ssl_session_reused$ssl_early_data";
"""
_EARLY_DATA = """\
    ssl_early_data on;
"""
# The client's scheme is restricted as the server's is: the server asks for no other.
_MUTUAL = """\
    ssl_verify_client on; ssl_client_certificate {root}; ssl_verify_depth {depth};
    ssl_conf_command ClientSignatureAlgorithms {scheme};
    # OpenSSL's client would compress its chain (RFC 8879), as nginx does not the server's: padding would vanish.
    ssl_conf_command Options -RxCertificateCompression;
"""


def nginx_configuration(folder: Path, listeners: Sequence[Listener], http: Sequence[Http] = ("1.1",)) -> str:
    """Return the configuration of an nginx that keeps everything in `folder` and speaks the versions `http`."""
    http2 = " http2 on;" if "2" in http else ""
    listens = [_LISTEN_TCP.format(port="{port}", http2=http2), *([_LISTEN_QUIC] if "3" in http else [])]
    servers = "".join(_server_block(listener, listen) for listener in listeners for listen in listens)
    connections = _FETCHES + len(listeners) * len(listens)
    return _FRAME.format(folder=folder, patience=_PATIENCE_S, connections=connections, servers=servers)


def _server_block(listener: Listener, listen: str) -> str:
    return _SERVER.format(
        listen=listen.format(port=listener.port),
        chain=listener.chain,
        key=listener.key,
        groups=listener.groups,
        scheme=listener.signature,
        staple="" if listener.staple is None else _STAPLE.format(response=listener.staple),
        sessions=_session_lines(listener),
        mutual=_mutual_lines(listener),
    )


def _session_lines(listener: Listener) -> str:
    lines = _TICKETS if listener.tickets else _NO_SESSIONS
    return lines.format(header=GROUP_HEADER) + (_EARLY_DATA if listener.early_data else "")


def _mutual_lines(listener: Listener) -> str:
    if listener.client_root is None:
        return ""
    return _MUTUAL.format(root=listener.client_root, depth=listener.client_depth, scheme=listener.client_signature)
