"""What features need of a kernel, used by itself: in a guest, whose kernel has all, and in a container of this host."""

from pathlib import Path
from typing import Any

import pytest

from pqbed.beds.docker.docker_sdk_engine import DockerEngine
from pqbed.beds.docker.labels import everyones
from pqbed.beds.docker.netem_probe import missing_in_engine
from pqbed.beds.kernel_requirements import kernel_has
from pqbed.net.kernel_features import FEATURES, all_modules, features_without
from support.guest import RunInGuest


@pytest.mark.uml
def test_the_guest_kernel_has_what_every_feature_needs(uml_guest_run: RunInGuest) -> None:
    (answer,) = uml_guest_run(Path(__file__).with_name("guest_kernel_features.py"))
    assert answer == {"missing": []}


@pytest.mark.docker
def test_a_container_finds_missing_what_this_kernel_says_it_lacks(
    private_engine: DockerEngine, stack_image: str
) -> None:
    says: dict[str, Any] = {module.name: kernel_has(module) for module in all_modules()}
    if None in says.values():
        pytest.skip("this host shows neither the configuration of its kernel nor its modules")
    missing = missing_in_engine(private_engine, stack_image)
    assert not private_engine.find("container", everyones())
    # Without the hook or a filter nothing could be asked that is used through it.
    behind = {
        "sch_ingress": {"cls_matchall", "cls_u32", "act_gact", "act_police", "act_mirred"},
        "sch_tbf": {"sch_fq_codel", "sch_pie"},
    }
    unasked = {name for gate, names in behind.items() if gate in missing for name in names}
    assert set(missing) == {name for name, has in says.items() if not has} - unasked
    lacking = features_without(missing)
    assert {feature.name for feature in FEATURES} >= set(lacking)
