"""An engine on Debian 12's kernel, whose netem takes no seed: refused with the fix, and `auto` takes another bed."""

from typing import Any

import pytest

from pqbed.beds.choose_bed import check_bed, decide_bed, pick
from pqbed.beds.docker.bed import DockerBed
from pqbed.beds.docker.labels import everyones
from pqbed.beds.docker.netem_probe import netem_in_engine
from pqbed.errors import EngineError, HostError
from support.engines.fixtures import give_image

pytestmark = [pytest.mark.docker, pytest.mark.uml, pytest.mark.timeout(1200)]


def test_the_kernel_itself_says_that_it_takes_no_seed(request: pytest.FixtureRequest, seedless_engine: Any) -> None:
    assert seedless_engine.facts().kernel.startswith("6.1.")
    image = give_image(request, seedless_engine)
    fault = netem_in_engine(seedless_engine, image)
    assert isinstance(fault, HostError)
    assert "takes no seed" in fault.message
    assert "6.6" in fault.hint
    with pytest.raises(HostError, match="takes no seed"):
        DockerBed(seedless_engine, lambda *_: {"openssl": image}).up()
    assert not seedless_engine.find("container", everyones())
    assert not seedless_engine.find("network", everyones())


def test_auto_takes_uml_and_docker_is_refused(seedless_engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", seedless_engine.host)
    bed, reason = pick(check_bed("docker"), check_bed("uml"), None)
    assert bed == "uml"
    assert "takes no seed" in reason
    with pytest.raises(EngineError, match="takes no seed") as refused:
        decide_bed("docker")
    assert "6.6" in refused.value.hint
