import json
import re

import pytest
from syrupy.assertion import SnapshotAssertion

from pqbed.beds.up_session import Session, write_session
from pqbed.spec.link import Link
from support.command_line import Pqbed
from support.sweeps import CLASSIC

UP = ("up", "--bed", "fake")


def test_a_bed_goes_up_is_used_and_goes_down(pqbed: Pqbed, snapshot: SnapshotAssertion) -> None:
    commands = (
        UP,
        ("status",),
        ("link", "set", "--rtt", "200", "--loss", "1", "--bandwidth", "none", "--initcwnd", "10"),
        ("link", "show"),
        ("fetch", "--size", "200", "--count", "2", "--profile", "pq"),
        ("down",),
        ("status",),
    )
    said = [pqbed(*command) for command in commands]
    assert [ended.code for ended in said] == [0] * len(commands)
    text = "\n".join(f"$ pqbed {' '.join(command)}\n{ended.out}" for command, ended in zip(commands, said, strict=True))
    assert re.sub(r"removed \S+/state", "removed <state>", text) == snapshot


def test_up_can_be_repeated_and_down_too(pqbed: Pqbed) -> None:
    assert pqbed(*UP).code == 0
    assert pqbed(*UP, "--profile", "pq").code == 0
    assert "profiles            pq\n" in pqbed("status").out
    assert pqbed("down").code == 0
    assert pqbed("down").out == "nothing was up\n"


def test_link_set_keeps_what_is_not_named(pqbed: Pqbed) -> None:
    pqbed(*UP)
    pqbed("link", "set", "--rtt", "200")
    pqbed("link", "set", "--loss", "ge:1/30")
    status = json.loads(pqbed("status", "--json").out)
    assert status["link"]["rtt_ns"] == 200_000_000
    assert status["link"]["loss"]["kind"] == "gilbert-elliott"
    assert status["link"]["bandwidth_bps"] == 1_000_000


def test_link_set_tells_sides_and_directions_apart(pqbed: Pqbed) -> None:
    pqbed(*UP)
    ended = pqbed(
        *("link", "set", "--bandwidth", "16", "--bandwidth-up", "1", "--loss-up", "2", "--initcwnd", "30"),
        *("--initcwnd-client", "5", "--congestion-control", "bbr", "--congestion-control-client", "reno"),
    )
    assert ended.code == 0
    said = pqbed("status").out
    for line in (
        "bandwidth           16mbit (up 1mbit)\n",
        "loss                0% (up 2%)\n",
        "initcwnd            30 (client 5)\n",
        "congestion control  bbr (client reno)\n",
    ):
        assert line in said
    pqbed(*("link", "set", "--bandwidth-up", "none", "--loss-up", "same", "--initcwnd-client", "same"))
    said = pqbed("status").out
    assert "16mbit (up unlimited)\n" in said
    assert "loss                0%\n" in said
    assert "initcwnd            30\n" in said
    pqbed("link", "set", "--congestion-control", "cubic")
    assert "congestion control  cubic\n" in pqbed("status").out


def test_a_drop_list_given_twice_is_one_list(pqbed: Pqbed) -> None:
    pqbed(*UP)
    assert pqbed("link", "set", "--drop", "up:2", "--drop", "down:3-5").code == 0
    assert "drop                up:2+down:3-5\n" in pqbed("status").out


def test_a_queue_in_bytes_is_shown_in_bytes(pqbed: Pqbed) -> None:
    pqbed(*UP, "--layout", "router", "--queue", "64KiB")
    (line,) = [line for line in pqbed("link", "show").out.splitlines() if line.startswith("down-rate ")]
    assert "  64KiB  " in line


def test_link_set_refuses_what_sweeps_refuse(pqbed: Pqbed) -> None:
    pqbed(*UP)
    pqbed("link", "set", "--segmentation", "host")
    before = pqbed("status").out
    for arguments in (("--drop", "up:2"), ("--path-mtu", "1400:clamped")):
        ended = pqbed("link", "set", *arguments)
        assert ended.code == 2
        assert "packets" in ended.err
        assert "leave out --segmentation" in ended.err
    assert pqbed("status").out == before


def test_link_set_takes_single_values_only(pqbed: Pqbed) -> None:
    pqbed(*UP)
    before = pqbed("status").out
    for arguments, says in (
        (("--rtt", "35,200"), "takes one value"),
        ((), "nothing to set"),
        (("--jitter", "100"), "jitter"),
        (("--loss", "101"), "out of range"),
    ):
        ended = pqbed("link", "set", *arguments)
        assert ended.code == 2
        assert says in ended.err
    assert pqbed("status").out == before


def test_fetch_refuses_a_profile_that_is_not_served(pqbed: Pqbed) -> None:
    pqbed(*UP, "--profile", "classical,pq")
    ended = pqbed("fetch", "--profile", "hybrid")
    assert ended.code == 2
    assert "choose from classical, pq" in ended.err


def test_fetch_gives_every_field_as_json(pqbed: Pqbed) -> None:
    pqbed(*UP)
    (fetched,) = json.loads(pqbed("fetch", "--profile", "pq", "--size", "50", "--json").out)
    assert fetched["outcome"] == "ok"
    assert fetched["group"] == "X25519MLKEM768"
    assert fetched["body_bytes"] == 50 * 1024
    assert fetched["tcp_connect_ns"] < fetched["tls_done_ns"] < fetched["first_byte_ns"] < fetched["last_byte_ns"]


def test_a_failed_fetch_ends_with_4(pqbed: Pqbed) -> None:
    pqbed(*UP)
    ended = pqbed("fetch", "--size", "2MiB", "--timeout", "1")
    assert ended.code == 4
    assert "fetch 1: timeout" in ended.out


def test_build_says_what_was_made(pqbed: Pqbed) -> None:
    built = json.loads(pqbed("build", "--bed", "fake", "--json").out)
    assert built == {"bed": "fake", "clock": "virtual", "artefacts": {"fake": "sha256:" + "0" * 64}}
    assert "everything the bed needs is there" in pqbed("build", "--bed", "fake").out


def test_a_link_with_a_router_shows_its_stages(pqbed: Pqbed) -> None:
    assert pqbed(*UP, "--layout", "router").code == 0
    assert "layout              router\n" in pqbed("status").out
    ended = pqbed("link", "set", "--queue", "10", "--jitter", "1")
    assert ended.code == 0
    rows = {line.split()[0]: line for line in pqbed("link", "show").out.splitlines() if line.strip()}
    assert "11 packets" in rows["down-rate"]
    assert "17.5ms" in rows["up-delay"]
    pqbed("link", "set", "--layout", "ends")
    assert "down-rate" not in pqbed("link", "show").out
    ended = pqbed(*UP, "--layout", "ends,router")
    assert ended.code == 2
    assert "--layout takes one value, and 2 were given" in ended.err


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_status_tells_that_the_engine_of_the_bed_is_gone(pqbed: Pqbed, options: tuple[str, ...]) -> None:
    write_session(Session(bed="docker", clock="real", profiles=(CLASSIC,), link=Link(rtt_ns=35_000_000)))
    ended = pqbed("status", *options)
    assert ended.code == 3
    said = ended.err
    assert "gone: no container engine answers" in said
    assert "`pqbed up` starts it again" in said
    if options:
        assert "no container engine answers" in json.loads(ended.out)["gone"]


def test_a_bed_without_standing_parts_is_never_gone(pqbed: Pqbed) -> None:
    pqbed(*UP)
    ended = pqbed("status", "--json")
    assert (ended.code, json.loads(ended.out)["gone"]) == (0, "")


def test_fetch_takes_each_pair_of_stacks(pqbed: Pqbed) -> None:
    pqbed(*UP, "--profile", "hybrid")
    ended = pqbed("fetch", "--stack", "openssl,go", "--client-stack", "same,go")
    assert ended.code == 0
    for arm in ("hybrid.openssl", "hybrid.go-to-openssl", "hybrid.go"):
        assert arm in ended.out
    refused = pqbed("fetch", "--stack", "gol")
    assert refused.code == 2
    assert "there is no stack 'gol'" in refused.err
