"""Remedies made for any chain: those of the preset for its own, and sizes that follow from the chain's."""

import pytest

from pqbed.errors import SpecError
from pqbed.model.message_sizes import certificate_message_bytes
from pqbed.model.remedy_profiles import remedy_profiles
from pqbed.spec.builtin_profiles import profile_named
from pqbed.spec.presets import preset
from pqbed.spec.profile import Chain, Profile, chain_text
from pqbed.spec.sweep_toml import sweep_from


def test_the_arms_of_the_preset_are_made_again() -> None:
    sweep, _ = sweep_from({}, under=preset("remedies"))
    stored = {profile.name: profile.chain for profile in sweep.profiles}
    made = remedy_profiles(profile_named("web-p50-pq"))
    assert {profile.name for profile in made} == stored.keys() - {"web-p50-pq", "web-p50"}
    for profile in made:
        # Leaves are estimated: the preset has that of a chain that was made.
        sizes = [certificate_message_bytes(chain) for chain in (profile.chain, stored[profile.name])]
        assert sizes[0] == pytest.approx(sizes[1], rel=0.006), profile.name
        if profile.chain.wire_bytes is not None:
            assert chain_text(profile.chain) == chain_text(stored[profile.name])


def test_a_larger_chain_has_larger_remedies_but_for_the_tree() -> None:
    median, large = (
        {one.name: certificate_message_bytes(one.chain) for one in remedy_profiles(profile_named(name))}
        for name in ("web-p50-pq", "web-p95-pq")
    )
    assert median.keys() == large.keys()
    assert median["merkle-tree"] == large["merkle-tree"]
    assert all(large[name] > median[name] for name in median.keys() - {"merkle-tree"})


def test_another_leaf_has_no_arms_that_are_named_after_mldsa44() -> None:
    names = {one.name for one in remedy_profiles(profile_named("pq"))}
    assert names == {"leaf-only", "compressed", "abridged", "merkle-tree", "falcon512", "slhdsa-root"}


def test_a_chain_of_unknown_sizes_is_refused() -> None:
    odd = Profile(name="odd", group="X25519", chain=Chain(algorithm="something"))
    with pytest.raises(SpecError, match="something are in no table"):
        remedy_profiles(odd)
