"""Chains from PEM files on the wire of a guest: as many bytes as the file's, and as computed for other keys."""

import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pqbed.spec.profile import Chain, ChainCertificate
from pqbed.spec.sweep_toml import read_run_sweep
from pqbed.store.run_directory import open_run
from pqbed.tls.certificate_chains import make_chain
from pqbed.tls.certificate_message import certificate_message_size

pytestmark = [
    pytest.mark.uml,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command"),
]

KEYS = ("rsa2048", "rsa2048", "rsa4096")
MINE = Chain(certificate=tuple(ChainCertificate(algorithm=key) for key in KEYS), root="rsa2048", scts=2)
FILE = """
profile = ["mine", "mine-pq", "stapled"]
aa = false
samples = 1
[profiles.mine]
group = "X25519MLKEM768"
chain = { pem = "chain.pem" }
[profiles.mine-pq]
group = "X25519MLKEM768"
chain = { like = "chain.pem", with = "mldsa44" }
[profiles.stapled]
group = "X25519MLKEM768"
chain = { like = "chain.pem", with = "mldsa44", intermediates = "mldsa65", ocsp = true }
"""


def test_a_chain_of_a_file_has_its_bytes_on_the_wire(tmp_path: Path) -> None:
    made = make_chain(MINE, tmp_path / "made")
    shutil.copy(made.sent, tmp_path / "chain.pem")
    (tmp_path / "sweep.toml").write_text(FILE)
    grid = ["--rtt", "20", "--bandwidth", "10", "--size", "0", "--bed", "uml", "--calibrate", "off"]
    command = [sys.executable, "-m", "pqbed_cli", "sweep", "--spec", "sweep.toml", *grid]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    path = next((tmp_path / "results").iterdir())
    with open_run(path) as run:
        rows = run.samples().join(run.cells(), on="cell_id").collect()
    assert set(rows["outcome"]) == {"ok"}
    sizes = {row["profile"]: row["chain_wire_bytes"] for row in rows.to_dicts()}
    assert sizes["mine"] == made.wire_bytes
    asked = {
        profile.name: certificate_message_size(one.der_bytes or 0 for one in profile.chain.sent)
        for profile in read_run_sweep(path / "sweep.toml")[0].profiles
    }
    # A certificate that lacks less than an empty extension, 30 bytes, is left as it is.
    assert 0 <= asked["mine-pq"] - sizes["mine-pq"] <= 3 * 30
    # The response of ML-DSA-65: 3,309 bytes of signature, 235 around it, 8 in the message.
    assert 0 <= asked["stapled"] + 3_309 + 235 + 8 - sizes["stapled"] <= 3 * 30
    assert rows.filter(pl.col("last_byte_ns") < pl.col("floor_ns")).is_empty()
