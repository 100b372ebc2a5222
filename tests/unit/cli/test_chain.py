import json
import shutil
import tomllib
from pathlib import Path

import pytest

from pqbed.spec.builtin_profiles import profile_named
from pqbed.spec.sweep_toml import sweep_from
from pqbed.tls.certificate_chains import make_chain
from support.command_line import Pqbed

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_chain(profile_named("web-p50").chain, tmp_path_factory.mktemp("made") / "chain").sent)


def test_a_chain_is_shown_with_its_sizes_in_ml_dsa(pqbed: Pqbed, pem: str) -> None:
    shown = pqbed("chain", "show", pem)
    assert shown.code == 0
    rows = [line.split() for line in shown.out.splitlines()]
    assert ["1", "rsa2048", "rsa2048", "1,305", "2", "(119", "+", "119)"] in rows
    assert ["as", "it", "is", "3,754", "3,754"] in rows
    assert ["in", "mldsa44", "17,556", "12,860"] in rows


def test_a_chain_for_programs(pqbed: Pqbed, pem: str) -> None:
    shown = json.loads(pqbed("chain", "show", pem, "--json").out)
    assert shown["wire_bytes"] == 3_754
    assert shown["migrated"]["mldsa44"] == {"wire_bytes": 17_556, "wire_bytes_scts_kept": 12_860}
    assert [one["algorithm"] for one in shown["certificates"]] == ["rsa2048", "rsa2048", "rsa4096"]


def test_its_profiles_are_a_sweep_file(pqbed: Pqbed, pem: str) -> None:
    text = pqbed("chain", "show", pem, "--profile", "mine").out
    own, migrated = sweep_from({}, under=tomllib.loads(text))[0].profiles
    assert (own.name, migrated.name) == ("mine", "mine-pq")
    assert sum(one.der_bytes or 0 for one in own.chain.sent) == 3_754 - 8 - 3 * 5
    assert sum(one.der_bytes or 0 for one in migrated.chain.sent) == 17_556 - 8 - 3 * 5


def test_a_file_without_certificates_is_a_wrong_request(pqbed: Pqbed, tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("")
    refused = pqbed("chain", "show", str(tmp_path / "none.pem"))
    assert refused.code == 2
    assert "holds 0 certificates in PEM" in refused.err
