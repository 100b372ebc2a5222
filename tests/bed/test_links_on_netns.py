"""Every kind of link in namespaces of a host with netem, on the real clock: each does what it says."""

import os
import sys
from typing import Any

import pytest

from pqbed.artefacts import prepare_uml
from pqbed.store.run_directory import open_run
from support.netem_host import run_on_netem_host
from support.units import MS

pytestmark = [
    pytest.mark.uml,
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="the netns bed needs root"),
]

CELLS_FAILED = 4
KINDS = {
    "plain": "",
    "dropped": 'drop = "up:3"',  # the ClientHello
    "outage": 'outage = "50ms:1s"',
    "told": 'path_mtu = "1280:told"\nlayout = "router"',
    "swallowed": 'path_mtu = "1280:swallowed"\nlayout = "router"',
    "boxed": 'middlebox = "hello-above:200"\nlayout = "router"',
    "queued": 'queue = "1s"\nlayout = "router"\ncross_traffic = "down:1@3s"',
    "managed": 'queue_discipline = "fq_codel"\nlayout = "router"\ncross_traffic = "down:1@3s"',
    "changing": 'bandwidth = "none"\ntrace = "lte"\nlayout = "router"',
    "odd": 'reorder = "5%"\nduplicate = "5%"\ncorrupt = "1%"\ndelay_up = "5ms"',
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "kinds.toml").write_text(_sweep())
    command = [sys.executable, "-m", "pqbed_cli", "sweep", "--spec", "kinds.toml", "--bed", "netns", "--lanes", "1"]
    done = run_on_netem_host(
        prepare_uml().kernel, folder, [*command, "--calibrate", "off", "--out", "runs"], os.environ
    )
    assert done.code == CELLS_FAILED, done.stdout + done.stderr
    (path,) = (folder / "runs").iterdir()
    with open_run(path) as run:
        joined = run.samples().join(run.cells().select("cell_id", "link_name"), on="cell_id").collect()
    return {row["link_name"]: row for row in joined.rows(named=True)}


def _sweep() -> str:
    links = [
        f'[links.{name}]\nrtt = "40ms"\n{more}' + ("" if "bandwidth" in more else '\nbandwidth = "1mbit"')
        for name, more in KINDS.items()
    ]
    head = 'seed = 5\naa = false\nsamples = 1\nsize = ["20KiB"]\nprofile = ["classical"]\ntimeout = "6s"'
    return "\n".join((head, f"link = {[*KINDS]}", *links))


def test_what_arrives_late_arrives(rows: dict[str, dict[str, Any]]) -> None:
    ended = {name: row["outcome"] for name, row in rows.items()}
    assert ended == {name: "timeout" if name in ("swallowed", "boxed") else "ok" for name in KINDS}
    assert {row["bed"] for row in rows.values()} == {"netns"}


def test_each_kind_costs_what_it_must(rows: dict[str, dict[str, Any]]) -> None:
    last = {name: row["last_byte_ns"] for name, row in rows.items()}
    handshake = {name: row["tls_done_ns"] for name, row in rows.items()}
    assert last["plain"] > 3 * 40 * MS
    # A probe comes after two round trips at the soonest.
    assert handshake["dropped"] > handshake["plain"] + 2 * 40 * MS
    assert last["outage"] > 1_050 * MS
    # The first packet that is too large is sent again after the answer of the router.
    assert last["told"] > last["plain"]
    # The flow fills a second's queue, but not that of fq_codel, which serves new flows first.
    assert last["queued"] > 1_000 * MS > handshake["managed"]


def test_a_hello_that_never_arrives_is_repeated_until_the_limit(rows: dict[str, dict[str, Any]]) -> None:
    for name in ("swallowed", "boxed"):
        assert rows[name]["last_byte_ns"] is None
    assert rows["boxed"]["retransmits"] >= 3
    assert rows["boxed"]["tcp_rtt_ns"] >= 40 * MS
