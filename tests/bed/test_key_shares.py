"""Groups and key shares in virtual time: who asks for another ClientHello, its round trip, and its bytes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tomli_w

from pqbed.store.run_directory import open_run
from support.units import MS

pytestmark = pytest.mark.uml

RTT_NS = 100 * MS
# Reading a clock and a program's turn take some microseconds each.
CLOCK_NS = 100_000
HYBRID, CLASSICAL = "X25519MLKEM768", "X25519"
BOTH = [HYBRID, CLASSICAL]
NEGOTIATION: dict[str, dict[str, Any]] = {
    "one-share": {"group": HYBRID},
    "two-shares": {"group": HYBRID, "groups": BOTH, "shares": BOTH, "server_groups": f"{HYBRID}:{CLASSICAL}"},
    "wrong-guess": {"group": CLASSICAL, "groups": BOTH, "shares": [HYBRID], "server_groups": CLASSICAL},
    "preferred": {"group": HYBRID, "groups": BOTH, "shares": [CLASSICAL], "server_groups": f"{HYBRID}/{CLASSICAL}"},
}
RETRIED = {"wrong-guess", "preferred"}
CHAINS = {"rsa": "rsa2048", "ml": "mldsa65"}
# A server that takes the share that is there, and one that wants another: what the profile says is wrong.
BROKEN: dict[str, dict[str, Any]] = {
    "not-preferred": {**NEGOTIATION["preferred"], "server_groups": f"{HYBRID}:{CLASSICAL}"},
    "not-taken": {**NEGOTIATION["two-shares"], "shares": [HYBRID], "server_groups": f"{CLASSICAL}/{HYBRID}"},
}


def pqbed(folder: Path, *arguments: str, code: int = 0) -> bytes:
    command = [sys.executable, "-m", "pqbed_cli", *arguments]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=300)
    assert done.returncode == code, done.stderr
    return done.stdout


def write_spec(folder: Path, arms: dict[str, dict[str, Any]]) -> str:
    spec = {"profile": list(arms), "aa": False, "profiles": arms}
    (folder / "spec.toml").write_text(tomli_w.dumps(spec))
    return "spec.toml"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Two fetches of each cell, without a rate and at 10 Mbit/s, with what the model expects."""
    folder = tmp_path_factory.mktemp("shares")
    arms = {
        f"{name}-{chain}": {**keys, "chain": {"algorithm": algorithm}}
        for name, keys in NEGOTIATION.items()
        for chain, algorithm in CHAINS.items()
    }
    grid = ["--rtt", "100", "--bandwidth", "none,10", "--size", "0,20,200", "--connection", "full,resumed,early,reused"]
    more = ["--spec", write_spec(folder, arms), "--samples", "2", "--calibrate", "off", "--bed", "uml"]
    pqbed(folder, "sweep", *grid, *more)
    with open_run(next((folder / "results").iterdir())) as run:
        names = ["cell_id", "outcome", "detail", "tcp_connect_ns", "last_byte_ns", "hello_retry", "hello_retry_ns"]
        samples = run.samples().collect().select(*names, "tls_done_ns")
        return samples.join(run.cells().collect(), on="cell_id").with_columns(
            arm=pl.col("profile").str.extract(r"(.*)-\w+$"), asked_again=pl.col("hello_retry_expected")
        )


def test_every_hello_was_answered_as_expected(rows: pl.DataFrame) -> None:
    early = pl.col("connection") == "early"
    assert rows.filter(~early)["outcome"].unique().to_list() == ["ok"], rows["detail"].unique()
    known = rows.filter(~early & (pl.col("connection") != "reused") & (pl.col("arm") != "one-share"))
    assert known["hello_retry"].to_list() == known["asked_again"].to_list()
    assert set(known.filter("hello_retry")["arm"]) == RETRIED
    assert rows.filter(early & ~pl.col("asked_again"))["outcome"].unique().to_list() == ["ok"]


def test_early_data_does_not_follow_a_hello_retry_request(rows: pl.DataFrame) -> None:
    early = rows.filter((pl.col("connection") == "early") & pl.col("asked_again"))
    assert early["outcome"].unique().to_list() == ["unsupported"]
    assert early["detail"].str.contains("HelloRetryRequest").all()


def test_it_takes_one_round_trip(rows: pl.DataFrame) -> None:
    """Of responses within a window or two: without a rate, longer ones hang on how fast a program reads."""
    short = (pl.col("size_bytes") <= 20 * 1024) & pl.col("connection").is_in(["full", "resumed"])
    free = rows.filter(pl.col("bandwidth_bps").is_null() & short)
    plain = {
        (row["profile"].rpartition("-")[2], row["connection"], row["size_bytes"]): row["last_byte_ns"]
        for row in free.filter(arm="one-share").to_dicts()
    }
    for row in free.to_dicts():
        more_ns = row["last_byte_ns"] - plain[row["profile"].rpartition("-")[2], row["connection"], row["size_bytes"]]
        trips = int(row["arm"] in RETRIED)
        assert abs(more_ns - trips * RTT_NS) <= CLOCK_NS, row
        if trips:
            assert 0 <= row["hello_retry_ns"] - row["tcp_connect_ns"] - RTT_NS <= CLOCK_NS


def test_its_bytes_are_learned(rows: pl.DataFrame) -> None:
    full = {row["arm"]: row for row in rows.filter(connection="full", size_bytes=0).to_dicts()}
    shares = {HYBRID: 1184 + 32, CLASSICAL: 32}
    hello = 212 + 8 + 2
    assert full["one-share"]["client_hello_bytes"] == 212 + shares[HYBRID]
    assert full["two-shares"]["client_hello_bytes"] == hello + shares[HYBRID] + 4 + shares[CLASSICAL]
    assert full["wrong-guess"]["client_hello_bytes"] == hello + shares[HYBRID]
    assert full["preferred"]["client_hello_bytes"] == hello + shares[CLASSICAL]
    for arm in ("one-share", "two-shares"):
        assert (full[arm]["hello_retry_bytes"], full[arm]["second_hello_bytes"]) == (0, 0)
    # A change of cipher goes before the second hello, and behind the HelloRetryRequest.
    for arm, share in (("wrong-guess", CLASSICAL), ("preferred", HYBRID)):
        assert full[arm]["hello_retry_bytes"] == 93 + 6
        assert full[arm]["second_hello_bytes"] == 6 + hello + shares[share]


def test_times_are_what_the_model_expects(rows: pl.DataFrame) -> None:
    known = rows.filter(pl.col("expected_ns").is_not_null() & (pl.col("outcome") == "ok"))
    assert known.filter(pl.col("bandwidth_bps").is_not_null()).height > 0.4 * rows.height
    for row in known.to_dicts():
        assert abs(row["last_byte_ns"] - row["expected_ns"]) <= 0.002 * row["expected_ns"], row
        if row["hello_retry_ns"] is not None:
            assert abs(row["hello_retry_ns"] - row["lossless_hello_retry_ns"]) <= CLOCK_NS


def test_no_sample_lies_below_its_floor(rows: pl.DataFrame) -> None:
    assert rows.filter(pl.col("last_byte_ns") < pl.col("floor_ns")).is_empty()
    assert rows.filter(pl.col("tls_done_ns") < pl.col("floor_tls_done_ns")).is_empty()


def test_another_group_than_the_profile_s_is_no_time(tmp_path: Path) -> None:
    """Broken on purpose: the server takes the share that is there, or asks for the other group."""
    arms = {name: {**keys, "chain": {"algorithm": "p256"}} for name, keys in BROKEN.items()}
    cell = ["--rtt", "100", "--bandwidth", "none", "--size", "0", "--samples", "1", "--calibrate", "off"]
    pqbed(tmp_path, "sweep", *cell, "--spec", write_spec(tmp_path, arms), "--bed", "uml", code=4)
    with open_run(next((tmp_path / "results").iterdir())) as run:
        samples = run.samples().collect().join(run.cells().select("cell_id", "profile").collect(), on="cell_id")
    seen = {row["profile"]: (row["outcome"], row["detail"]) for row in samples.to_dicts()}
    assert seen == {
        "not-preferred": ("wrong_group", "asked for X25519MLKEM768, the server says x25519"),
        "not-taken": ("wrong_group", "asked for X25519MLKEM768, the server says x25519"),
    }


P256 = "secp256r1"
GO = {"stack": "go", "chain": {"algorithm": "p256"}}
WITH_GO: dict[str, dict[str, Any]] = {
    # Go sends the share of the group that it prefers, and X25519's beside X25519MLKEM768 where both are offered.
    "both-shares": {**NEGOTIATION["two-shares"], **GO, "client_stack": "openssl"},
    "retried-by-go": {**NEGOTIATION["wrong-guess"], **GO, "client_stack": "openssl"},
    "go-retried": {"group": P256, "groups": [HYBRID, P256], "server_groups": P256, **GO},
    "go-s-other-shares": {"group": HYBRID, "groups": BOTH, "server_groups": f"{HYBRID}:{CLASSICAL}", **GO},
    "go-told-shares": {**NEGOTIATION["two-shares"], **GO},
    "go-told-to-prefer": {**NEGOTIATION["preferred"], **GO, "client_stack": "openssl"},
}


def test_go_asks_and_is_asked_for_another_hello(tmp_path: Path) -> None:
    cell = ["--rtt", "100", "--bandwidth", "10", "--size", "0", "--samples", "1", "--calibrate", "off"]
    pqbed(tmp_path, "sweep", *cell, "--spec", write_spec(tmp_path, WITH_GO), "--bed", "uml")
    with open_run(next((tmp_path / "results").iterdir())) as run:
        rows = run.samples().join(run.cells(), on="cell_id").collect().to_dicts()
    seen = {row["profile"]: row for row in rows}
    outcomes = {name: (row["outcome"], row["hello_retry"]) for name, row in seen.items()}
    assert outcomes == {
        "both-shares": ("ok", False),
        "retried-by-go": ("ok", True),
        "go-retried": ("ok", True),
        "go-s-other-shares": ("unsupported", None),
        "go-told-shares": ("unsupported", None),
        "go-told-to-prefer": ("unsupported", None),
    }
    assert "chooses the key shares itself: [0x11ec 0x001d], asked for [0x11ec]" in seen["go-s-other-shares"]["detail"]
    assert "it chooses the key shares itself" in seen["go-told-shares"]["detail"]
    assert "before any other" in seen["go-told-to-prefer"]["detail"]
    for name in ("retried-by-go", "go-retried"):
        row = seen[name]
        assert abs(row["hello_retry_ns"] - row["lossless_hello_retry_ns"]) <= CLOCK_NS, name
        assert abs(row["last_byte_ns"] - row["lossless_ns"]) <= 0.01 * row["lossless_ns"], name


def test_a_trace_shows_both_hellos(tmp_path: Path) -> None:
    arms = {"retried": {**NEGOTIATION["wrong-guess"], "chain": {"algorithm": "mldsa65"}}}
    cell = ["--rtt", "100", "--bandwidth", "10", "--size", "0", "--spec", write_spec(tmp_path, arms)]
    traced = json.loads(pqbed(tmp_path, "trace", *cell, "--bed", "uml", "--json"))
    flights = {flight["name"]: flight for flight in traced["flights"]}
    assert list(flights)[2:6] == ["ClientHello", "HelloRetryRequest", "second ClientHello", "server flight"]
    sizes = [flights[name]["payload_bytes"] for name in list(flights)[2:5]]
    assert sizes == [212 + 8 + 2 + 1216, 99, 6 + 212 + 8 + 2 + 32]
    asked, answered = (flights[name]["received_ns"] for name in ("HelloRetryRequest", "server flight"))
    assert traced["timings"]["hello_retry_ns"] == pytest.approx(asked, abs=CLOCK_NS)
    assert answered > asked + RTT_NS
