"""Mixtures in sweep files: read, written and refused."""

import tomllib
from typing import Any

import pytest

from pqbed.errors import SpecError
from pqbed.spec.mixture_tables import STRATA, log_normal_strata
from pqbed.spec.sweep_toml import sweep_from, sweep_to_toml


def test_a_resumed_share_measures_both_kinds() -> None:
    sweep, options = sweep_from({"resumed_share": "0.8"}, bare=True)
    assert [connection.kind for connection in sweep.connection] == ["full", "resumed"]
    assert [mixture.describe() for mixture in sweep.mixtures] == ["80% resumed, 20% full"]
    assert sweep_from(tomllib.loads(sweep_to_toml(sweep, options)))[0] == sweep


def test_a_mixture_brings_the_values_that_it_is_made_of() -> None:
    fleet = {"link": {"wpt-lte": 0.5, "wpt-cable": 0.5}, "bytes": {"median": "7.8KB", "mean": "395KB"}}
    sweep, options = sweep_from({"mixtures": {"fleet": fleet}})
    assert sweep.link == ("wpt-lte", "wpt-cable")
    assert len(sweep.size_bytes) == len(STRATA) - 1
    assert sweep_from(tomllib.loads(sweep_to_toml(sweep, options)))[0] == sweep


def test_strata_have_the_mean_of_their_distribution() -> None:
    strata = list(log_normal_strata(7_800, 395_000))
    assert sum(share for _, share in strata) == 1_000_000
    assert sum(size * share for size, share in strata) / 1e6 == pytest.approx(395_000, rel=1e-4)
    # Half of the responses are below the median: the strata on either side of it hold it between them.
    assert strata[1][0] < 7_800 < strata[2][0]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"resumed_share": "1.5"}, "'1.5' is not a share"),
        ({"resumed_share": "nan"}, "'nan' is not a share"),
        ({"resumed_share": "0.8", "connection": "full"}, "mixture resumed-80 has resumed, which the sweep does not"),
        ({"mixtures": {"one": {}}}, "mixtures.one: nothing is mixed"),
        ({"mixtures": {"one": {"rtt": {"20ms": 0.5, "30ms": 0.4}}}}, "the shares of rtt add up to 90%"),
        ({"mixtures": {"one": {"rtt": {"20ms": 0.5, "0.02s": 0.5}}}}, "rtt names a value twice"),
        ({"mixtures": {"one": {"rt": {"20ms": 1}}}}, "there is no axis 'rt'"),
        ({"mixtures": {"one": {"profile": {"pqq": 1}}}}, "mixture one has pqq, which the sweep does not measure"),
        ({"mixtures": {"one": {"bytes": {"median": "7KB"}}}}, "bytes lacks its median or its mean"),
        ({"mixtures": {"one": {"bytes": {"median": "7KB", "mean": "6KB"}}}}, "the mean is not above the median"),
        ({"mixtures": {"one": {"bytes": {"median": "7KB", "mean": "90KB"}, "size": {"1KiB": 1}}}}, "size and bytes"),
        ({"mixtures": {"one": 5}}, "mixtures.one is not a table"),
    ],
)
def test_a_mixture_that_means_nothing_is_refused(request_: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError) as refused:
        sweep_from(request_)
    assert said in refused.value.message
