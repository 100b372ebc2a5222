"""Stacks from files, really loaded: a module of our own, one that Debian ships, and what cannot be added."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pqbed.artefacts import prepare_uml
from pqbed.store.run_directory import open_run
from support.netem_host import run_on_netem_host
from support.provider import CODEPOINT, NAME, compile_provider, provider_configuration
from support.units import MS

pytestmark = [pytest.mark.uml, pytest.mark.timeout(600)]

CLIENT_BYTES, SERVER_BYTES = 3_000, 5_000
PROFILES = """
samples = 2
aa = false
profile = ["ballast", "plain"]
[profiles.ballast]
group = "Ballast"
chain = { algorithm = "rsa2048" }
[profiles.plain]
group = "X25519"
chain = { algorithm = "rsa2048" }
"""
LINK = ("--bed", "uml", "--rtt", "35", "--bandwidth", "1mbit", "--size", "0", "--seed", "7")


@pytest.fixture(scope="module")
def root() -> Path:
    return prepare_uml().root


@pytest.fixture
def pqbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Any) -> Any:  # noqa: ARG001 - it must be there
    """Return a function that runs the program with a data folder of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pqbed_cli", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    return run


@pytest.fixture
def ballast(pqbed: Any, tmp_path: Path) -> dict[str, Any]:
    """Add the stack `ballast` and return what was printed."""
    module = compile_provider(tmp_path)
    configuration = provider_configuration(tmp_path, CLIENT_BYTES, SERVER_BYTES)
    done = pqbed("stack", "add", "ballast", "--module", module, "--conf", configuration, "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def left(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "data/pqbed/stacks"
    return list(folder.iterdir()) if folder.exists() else []


def test_a_module_of_our_own_is_measured_and_then_removed(pqbed: Any, ballast: Any, tmp_path: Path, root: Any) -> None:
    assert sorted(ballast["providers"]) == ["ballast", "default"]
    spec = tmp_path / "sweep.toml"
    spec.write_text(PROFILES)
    out = tmp_path / "runs"
    stacks = ("--stack", "ballast,openssl", "--client-stack", "ballast")
    done = pqbed("sweep", "--spec", spec, *LINK, *stacks, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.iterdir()
    with open_run(path) as run:
        samples = run.samples().join(run.cells().select("cell_id", "profile"), on="cell_id").collect()
        assert run.manifest.artefacts["stack ballast"] == ballast["hash"]
    columns = ("profile", "outcome", "group", "provider", "client_provider", "signature_provider")
    rows = {row[0]: row[1:] for row in samples.select(columns).unique().rows()}
    assert rows == {
        "ballast.ballast": ("ok", NAME, NAME, NAME, "default"),
        "plain.ballast": ("ok", "x25519", "default", "default", "default"),
        "ballast.ballast-to-openssl": ("unsupported", None, None, None, None),
        "plain.ballast-to-openssl": ("ok", "x25519", "default", "default", "default"),
    }
    # 1 Mbit/s is 8 us a byte: the shares are longer by this much, in some segments more.
    times = dict(samples.filter(pl.col("outcome") == "ok").group_by("profile").agg(pl.col("last_byte_ns").min()).rows())
    more_ns = times["ballast.ballast"] - times["plain.ballast"]
    bytes_ns = 8_000 * (CLIENT_BYTES + SERVER_BYTES - 64)
    assert bytes_ns < more_ns < 1.15 * bytes_ns
    assert pqbed("stack", "remove", "ballast").returncode == 0
    assert left(tmp_path) == []
    assert not (root / "opt/pqbed/added/ballast").exists()
    again = pqbed("sweep", "--spec", spec, *LINK, "--stack", "ballast", "--out", out)
    assert again.returncode == 2
    assert "there is no stack 'ballast'" in again.stderr


@pytest.mark.usefixtures("ballast")
def test_a_group_of_no_table_takes_what_is_expected_of_it_to_one_per_cent(pqbed: Any, tmp_path: Path) -> None:
    spec, out = tmp_path / "sweep.toml", tmp_path / "runs"
    spec.write_text(PROFILES)
    axes = ("--rtt", "35,200", "--bandwidth", "1mbit,100mbit", "--size", "0,20,100,400", "--initcwnd", "10,20")
    done = pqbed("sweep", "--spec", spec, "--bed", "uml", *axes, "--samples", "1", "--stack", "ballast", "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.iterdir()
    with open_run(path) as run:
        rows = run.samples().select("cell_id", "outcome", "last_byte_ns").join(run.cells(), on="cell_id").collect()
    unknown = rows.filter(pl.col("profile") == "ballast.ballast")
    assert unknown.height == 2 * 2 * 4 * 2
    assert set(unknown["outcome"]) == {"ok"}
    assert unknown["expected_ns"].null_count() == 0
    off = unknown.with_columns(off=(pl.col("last_byte_ns") / pl.col("expected_ns") - 1).abs())
    assert off.filter(pl.col("off") > 0.01).is_empty(), off.select("rtt_ns", "bandwidth_bps", "size_bytes", "off")


@pytest.mark.usefixtures("ballast")
def test_the_sizes_that_no_table_has_are_measured(pqbed: Any) -> None:
    done = pqbed("algorithms", "ballast", "--stack", "ballast", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["algorithms"]
    shares = (row["public_key_bytes"], row["ciphertext_bytes"])
    assert (row["name"], row["codepoint"], shares) == (NAME, CODEPOINT, (CLIENT_BYTES, SERVER_BYTES))
    # Two extensions of 4 bytes, the length of the client's list, and two entries of 4 bytes (RFC 8446 4.2.8).
    assert (row["wire_bytes"], row["measured"]) == (CLIENT_BYTES + SERVER_BYTES + 18, True)
    assert "measured in one handshake" in pqbed("algorithms", "ballast", "--stack", "ballast").stdout


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="the netns bed needs root")
@pytest.mark.usefixtures("ballast", "root")
def test_the_netns_bed_has_it_too_on_a_host_with_netem(tmp_path: Path) -> None:
    spec = tmp_path / "sweep.toml"
    spec.write_text(PROFILES)
    axes = ("--rtt", "35", "--bandwidth", "1mbit", "--size", "0", "--calibrate", "off", "--stack", "ballast")
    command = [sys.executable, "-m", "pqbed_cli", "sweep", "--spec", str(spec), "--bed", "netns", *axes]
    command += ["--out", str(tmp_path / "runs")]
    done = run_on_netem_host(prepare_uml().kernel, tmp_path, command, os.environ)
    assert done.code == 0, done.stdout + done.stderr
    (path,) = (tmp_path / "runs").iterdir()
    with open_run(path) as run:
        samples = run.samples().join(run.cells().select("cell_id", "profile"), on="cell_id").collect()
    columns = ("profile", "bed", "outcome", "group", "provider", "client_provider")
    assert set(samples.select(columns).unique().rows()) == {
        ("ballast.ballast", "netns", "ok", NAME, NAME, NAME),
        ("plain.ballast", "netns", "ok", "x25519", "default", "default"),
    }
    # The clock is real: three round trips and the bytes of the shares are the least.
    of_ballast = samples.filter(pl.col("profile") == "ballast.ballast")
    least_ns = 105 * MS + 8_000 * (CLIENT_BYTES + SERVER_BYTES)
    assert of_ballast.filter((pl.col("tcp_connect_ns") < 35 * MS) | (pl.col("last_byte_ns") < least_ns)).is_empty()


@pytest.mark.usefixtures("ballast")
def test_a_name_that_the_stack_does_not_list_stops_the_sweep(pqbed: Any, tmp_path: Path) -> None:
    spec = tmp_path / "sweep.toml"
    spec.write_text(PROFILES.replace("Ballast", "balast"))
    done = pqbed("sweep", "--spec", spec, *LINK, "--stack", "ballast", "--out", tmp_path / "runs")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "there is no group 'balast': neither pqbed's table nor any stack asked for has it" in done.stderr
    assert "did you mean 'ballast'?" in done.stderr
    assert not any((tmp_path / "runs").glob("*"))


def test_a_module_that_debian_ships_is_a_stack(pqbed: Any, tmp_path: Path, root: Any) -> None:
    (module,) = root.glob("usr/lib/*-linux-gnu/ossl-modules/legacy.so")
    (tmp_path / "stack.toml").write_text('title = "OpenSSL\'s old algorithms"\nmodule = ["legacy.so"]\n')
    (tmp_path / "legacy.so").write_bytes(module.read_bytes())
    done = pqbed("stack", "add", "old", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "loads default, legacy" in done.stdout
    assert "OpenSSL's old algorithms" in pqbed("stack", "list").stdout
    swept = pqbed("sweep", *LINK, "--profile", "pq", "--no-aa", "--samples", "1", "--stack", "old", "--out", tmp_path)
    assert swept.returncode == 0, swept.stdout + swept.stderr


def test_a_module_that_crashes_or_refuses_is_not_added(pqbed: Any, tmp_path: Path) -> None:
    for option, said in (("-DCRASH", "openssl list -providers crashed (SIGABRT)"), ("-DREFUSE", "init fail")):
        done = pqbed("stack", "add", "bad", "--module", compile_provider(tmp_path, option))
        assert done.returncode == 3
        first, *hint = done.stderr.strip().splitlines()
        assert first.startswith("pqbed: OpenSSL ")
        assert said in first
        assert len(hint) == 1
        assert left(tmp_path) == []


def test_a_module_without_its_library_is_not_added(pqbed: Any, tmp_path: Path) -> None:
    (tmp_path / "libelsewhere.c").write_text("int elsewhere(void) { return 1; }\n")
    library = tmp_path / "libelsewhere.so"
    build = ("cc", "-shared", "-fPIC", "-Wl,-soname,libelsewhere.so.7", "-o", library, tmp_path / "libelsewhere.c")
    module = compile_provider(tmp_path)
    subprocess.run(build, check=True)
    module = compile_provider(tmp_path, libraries=("-lcrypto", "-Wl,--no-as-needed", str(library)))
    done = pqbed("stack", "add", "bad", "--module", module)
    assert done.returncode == 2
    assert done.stderr.startswith("pqbed: ballast.so needs libelsewhere.so.7, which the root does not have\n")
    assert left(tmp_path) == []


def test_a_module_of_another_machine_is_not_added(pqbed: Any, tmp_path: Path) -> None:
    module = compile_provider(tmp_path)
    content = module.read_bytes()
    module.write_bytes(content[:18] + b"\xb7\0" + content[20:])
    done = pqbed("stack", "add", "bad", "--module", module)
    assert done.returncode == 2
    assert "is for aarch64, and this host is x86_64" in done.stderr
    assert left(tmp_path) == []


def test_the_codepoint_is_one_of_private_use() -> None:
    assert 0xFE00 <= CODEPOINT <= 0xFEFF  # RFC 8446 4.2.7
