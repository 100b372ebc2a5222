import csv
from pathlib import Path

import pytest

from pqbed.errors import SpecError
from pqbed.spec.builtin_profiles import builtin_profiles, profile_named
from pqbed.spec.presets import preset, preset_names
from pqbed.spec.profile import Chain, Profile
from pqbed.spec.sweep_toml import sweep_from
from pqbed.tls.migrate_chain import migrate_chain

PUBLISHED = Path(__file__).parents[3] / "results" / "published"


def test_builtin_profiles() -> None:
    said = {name: (p.group, p.chain.algorithm, p.chain.depth) for name, p in builtin_profiles().items()}
    assert said == {
        "classical": ("X25519", "rsa2048", 2),
        "classical-ecdsa": ("X25519", "p256", 2),
        "hybrid": ("X25519MLKEM768", "rsa2048", 2),
        "pq": ("X25519MLKEM768", "mldsa65", 2),
        "pq-mldsa44": ("X25519MLKEM768", "mldsa44", 2),
        "pq-mldsa87": ("X25519MLKEM768", "mldsa87", 2),
        "classical-mutual": ("X25519", "rsa2048", 2),
        "pq-mutual": ("X25519MLKEM768", "mldsa65", 2),
        "web-p5": ("X25519MLKEM768", "p256", 3),
        "web-p5-pq": ("X25519MLKEM768", "mldsa44", 3),
        "web-p50": ("X25519MLKEM768", "rsa2048", 3),
        "web-p50-pq": ("X25519MLKEM768", "mldsa44", 3),
        "web-p95": ("X25519MLKEM768", "rsa2048", 3),
        "web-p95-pq": ("X25519MLKEM768", "mldsa44", 3),
    }
    mutual = {name for name, profile in builtin_profiles().items() if profile.mutual}
    assert mutual == {"classical-mutual", "pq-mutual"}


@pytest.mark.parametrize("name", ["web-p5", "web-p50", "web-p95"])
def test_the_web_s_chains_come_migrated_too(name: str) -> None:
    assert profile_named(f"{name}-pq").chain == migrate_chain(profile_named(name).chain, "mldsa44")


def test_the_web_s_chains_have_the_sizes_of_their_sources() -> None:
    with (PUBLISHED / "web-chains.csv").open() as file:
        published = {row["id"]: int(row["value"]) for row in csv.DictReader(file)}
    sizes = [profile_named(f"web-{part}").chain.wire_bytes for part in ("p5", "p50", "p95")]
    assert sizes == [published["abridge-original-p5"], published["chain-p50"], published["chain-p95"]]


def test_profiles_know_their_names() -> None:
    assert profile_named("pq") == Profile(name="pq", group="X25519MLKEM768", chain=Chain(algorithm="mldsa65"))
    assert all(name == profile.name for name, profile in builtin_profiles().items())


def test_the_builtin_profiles_cannot_be_changed_by_a_caller() -> None:
    builtin_profiles().clear()
    assert "classical" in builtin_profiles()


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(SpecError, match="there is no profile 'clasical'") as caught:
        profile_named("clasical")
    assert "did you mean 'classical'?" in caught.value.hint


def test_every_preset_is_a_sweep() -> None:
    assert {"default", "demo"} <= set(preset_names())
    assert "profiles" not in preset_names()
    for name in preset_names():
        sweep_from({}, under=preset(name))


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(SpecError, match="there is no preset 'dmeo'") as caught:
        preset("dmeo")
    assert "did you mean 'demo'?" in caught.value.hint
