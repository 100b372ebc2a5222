"""compose/bed.yaml is lane 0 of the docker bed, key by key."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pqbed.beds.docker.containers import create_lane
from pqbed.beds.docker.engine_interface import ContainerSpec
from pqbed.beds.docker.labels import UP, Creator
from support.fake_engine import FakeEngine

FILE = Path(__file__).parents[4] / "compose" / "bed.yaml"
DOLLAR = "$$"  # compose's way to write one


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return content


@pytest.fixture(scope="module")
def made() -> FakeEngine:
    engine = FakeEngine()
    create_lane(engine, Creator(owner="${PQBED_OWNER:?see the head of this file}", run=UP), 0, "image")
    return engine


def test_services_are_the_containers(compose: dict[str, Any], made: FakeEngine) -> None:
    names = {identity: spec.name.removeprefix("pqbed-0-") for identity, spec in made.specs.items()}
    assert {names[identity]: as_service(spec, names) for identity, spec in made.specs.items()} == {
        name: {key: value for key, value in service.items() if key != "image"}
        for name, service in compose["services"].items()
    }


def as_service(spec: ContainerSpec, names: dict[str, str]) -> dict[str, Any]:
    service: dict[str, Any] = {
        "container_name": spec.name,
        "user": spec.user,
        "entrypoint": [],
        "command": [word.replace("$", DOLLAR) for word in spec.argv],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "read_only": True,
        "tmpfs": [f"{where}:{options}" for where, options in spec.tmpfs.items()],
        "labels": dict(spec.labels),
        "pids_limit": spec.limits.pids,
        "mem_limit": spec.limits.memory_bytes,
        "memswap_limit": spec.limits.memory_bytes,
        "logging": {
            "driver": "json-file",
            "options": {"max-size": str(spec.limits.log_bytes), "max-file": "1"},
        },
    }
    if spec.capabilities:
        service["cap_add"] = list(spec.capabilities)
    if spec.sysctls:
        service["sysctls"] = dict(spec.sysctls)
    if spec.joins:
        service["network_mode"] = f"service:{names[spec.joins]}"
    if spec.attachment:
        service["networks"] = {"lane": {"ipv4_address": spec.attachment.address, "mac_address": spec.attachment.mac}}
    return service


def test_the_network_is_the_lanes(compose: dict[str, Any], made: FakeEngine) -> None:
    (spec,) = made.networks.values()
    assert compose["networks"]["lane"] == {
        "name": spec.name,
        "internal": True,
        "labels": dict(spec.labels),
        "ipam": {"config": [{"subnet": spec.subnet, "gateway": spec.gateway}]},
    }
