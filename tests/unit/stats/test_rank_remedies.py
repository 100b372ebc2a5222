from typing import Any

import pytest

from pqbed.spec.builtin_profiles import builtin_profiles
from pqbed.spec.presets import preset
from pqbed.spec.remedies import PROFILE_REMEDIES
from pqbed.spec.sweep_toml import sweep_from
from pqbed.stats.rank_remedies import rank_remedies
from pqbed.tls.published_algorithms import signatures_by_key

CONDITIONS = ["rtt_ns", "initcwnd_server", "initcwnd_client", "connection"]


def row(**changes: Any) -> dict[str, Any]:
    plain = {"profile": "web-p50-pq", "rtt_ns": 100, "initcwnd_server": 10, "initcwnd_client": None}
    times = {"connection": "full", "server_flight_bytes": 21_377, "p50_ns": 500.0, "p90_ns": 600.0}
    return plain | times | changes


def test_remedies_change_one_thing_and_are_ranked_by_what_they_save() -> None:
    rows = [
        row(),
        row(profile="abridged", p50_ns=400.0, server_flight_bytes=12_800),
        row(initcwnd_server=32, p50_ns=300.0),
        row(profile="abridged", initcwnd_server=32, p50_ns=1.0),
        row(connection="resumed", p50_ns=None, server_flight_bytes=1_333),
    ]
    (link,) = rank_remedies(rows, CONDITIONS)
    assert link.helped == rows[0]
    assert [one.remedy.title for one in link.remedies] == ["initcwnd 32", "abridged certificates", "resumed connection"]
    assert [one.saved_ns for one in link.remedies] == [200, 100, None]
    assert [one.flight_bytes for one in link.remedies] == [21_377, 12_800, 1_333]
    kinds = [(one.profile, one.connection) for one in link.remedies]
    assert kinds == [("web-p50-pq", "full"), ("abridged", "full"), ("web-p50-pq", "resumed")]
    assert [one.remedy.by_size for one in link.remedies] == [False, True, False]


def test_data_in_the_syn_is_a_remedy() -> None:
    (link,) = rank_remedies([row(fast_open=False), row(fast_open=True, p50_ns=400.0)], [*CONDITIONS, "fast_open"])
    assert [(one.remedy.title, one.saved_ns) for one in link.remedies] == [("TCP Fast Open", 100)]


def test_links_are_ranked_apart() -> None:
    rows = [row(), row(rtt_ns=200), row(profile="falcon512", p50_ns=450.0), row(rtt_ns=200, profile="slhdsa-root")]
    first, second = rank_remedies(rows, CONDITIONS)
    assert [one.saved_ns for one in first.remedies] == [50]
    assert [(one.remedy.title, one.saved_ns) for one in second.remedies] == [("root of SLH-DSA", 0)]


def test_every_arm_of_the_preset_is_described() -> None:
    sweep, _ = sweep_from({}, under=preset("remedies"))
    names = {profile.name for profile in sweep.profiles} - builtin_profiles().keys()
    assert names | {mixture.name for mixture in sweep.mixtures} == PROFILE_REMEDIES.keys()


@pytest.mark.parametrize(
    ("name", "remedy_bytes", "signature_bytes"),
    # What each is to send: its Certificate message, and the signature in CertificateVerify.
    [
        ("compressed", 17_556 - (4_032 - 3_243), 2_420),
        ("merkle-tree", 1_312 + 736 + 400, 2_420),
        ("falcon512", 7_541, 666),
    ],
)
def test_an_arm_by_size_sends_the_bytes_of_its_remedy(name: str, remedy_bytes: int, signature_bytes: int) -> None:
    sweep, _ = sweep_from({}, under=preset("remedies"))
    (profile,) = [profile for profile in sweep.profiles if profile.name == name]
    sent = signatures_by_key()[profile.chain.algorithm].signature_bytes
    assert profile.chain.wire_bytes is not None
    assert profile.chain.wire_bytes + sent == remedy_bytes + signature_bytes
