"""Chains that a sweep file takes from PEM: their sizes, what they move to, and what is refused."""

import shutil
from pathlib import Path

import pytest

from pqbed.spec.profile import Chain, ChainCertificate
from pqbed.spec.sweep_toml import read_run_sweep
from pqbed.tls.certificate_chains import make_chain
from pqbed.tls.certificate_message import certificate_message_size
from pqbed.tls.published_algorithms import signatures_by_key
from support.command_line import Pqbed, only_run

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")

KEYS = ("rsa2048", "rsa3072", "rsa2048")
MINE = Chain(certificate=tuple(ChainCertificate(algorithm=key) for key in KEYS), root="rsa4096", scts=2)
FILE = """
profile = ["mine", "mine-pq", "mixed"]
[profiles.mine]
group = "X25519"
chain = { pem = "chain.pem", ocsp = true }
[profiles.mine-pq]
group = "X25519"
chain = { like = "chain.pem", with = "mldsa44" }
[profiles.mixed]
group = "X25519"
mutual = true
chain = { like = "chain.pem", with = "mldsa65", leaf = "mldsa44", root = "p256", scts = false }
client_chain = { pem = "chain.pem" }
"""


@pytest.fixture
def chain_bytes(tmp_path: Path) -> int:
    """Write the chain into a folder of its own; return the size of its Certificate message."""
    made = make_chain(MINE, tmp_path / "made")
    (tmp_path / "specs").mkdir()
    shutil.copy(made.sent, tmp_path / "specs/chain.pem")
    (tmp_path / "specs/sweep.toml").write_text(FILE)
    return made.wire_bytes


def message_bytes(chain: Chain) -> int:
    return certificate_message_size(one.der_bytes or 0 for one in chain.sent)


def test_chains_of_files_have_their_sizes(pqbed: Pqbed, tmp_path: Path, chain_bytes: int) -> None:
    spec = ("--spec", "specs/sweep.toml", "--rtt", "35", "--bandwidth", "none", "--size", "0", "--no-aa")
    assert pqbed("sweep", "--bed", "fake", *spec, "--samples", "2").code == 0
    stored = only_run(tmp_path) / "sweep.toml"
    assert "chain.pem" not in stored.read_text()
    mine, pq, mixed = (profile.chain for profile in read_run_sweep(stored)[0].profiles)
    assert message_bytes(mine) == chain_bytes
    assert mine.ocsp
    assert [one.algorithm for one in mine.sent] == [*KEYS]
    assert [one.algorithm for one in mixed.sent] == ["mldsa44", "mldsa65", "mldsa65"]
    assert (mixed.issuers[-1], mixed.sct_bytes, pq.sct_bytes) == ("p256", 119, 47 + 2420)
    sizes = signatures_by_key()
    grown = sum(
        sizes[new].public_key_bytes - sizes[old].public_key_bytes
        for new, old in zip(("mldsa44", "mldsa65", "mldsa65"), KEYS, strict=True)
    )
    signed = zip(("mldsa65", "mldsa65", "p256"), MINE.issuers, strict=True)
    grown += sum(sizes[new].signature_bytes - sizes[old].signature_bytes for new, old in signed)
    assert message_bytes(mixed) - chain_bytes == grown


@pytest.mark.usefixtures("chain_bytes")
@pytest.mark.parametrize(
    ("chain", "said"),
    [
        ('{ pem = "gone.pem" }', "profiles.x.chain: "),
        ('{ pem = "chain.pem", key = "k.pem" }', "pqbed takes no private keys"),
        ('{ pem = "chain.pem", depth = 2 }', "depth cannot stand beside pem"),
        ('{ like = "chain.pem" }', "like lacks with"),
        ('{ like = "chain.pem", with = "rsa17" }', "with: there is no key of 'rsa17'"),
        ('{ like = "chain.pem", with = "mldsa44", scts = "no" }', "scts is neither true nor false"),
        ("{ pem = 5 }", "pem is no text"),
    ],
)
def test_what_cannot_be_read_is_refused(pqbed: Pqbed, tmp_path: Path, chain: str, said: str) -> None:
    spec = tmp_path / "specs/one.toml"
    spec.write_text(f'profile = ["x"]\n[profiles.x]\ngroup = "X25519"\nchain = {chain}\n')
    refused = pqbed("plan", "--spec", str(spec))
    assert refused.code == 2
    assert said in refused.err
