"""What --cluster may name."""

from pathlib import Path

import pytest

from pqbed.cluster.cluster_address import ClusterAddress, parse_cluster_address
from pqbed.errors import SpecError


@pytest.mark.parametrize("text", ["tcp://scheduler:8786", "tls://10.0.0.7:8786", "tcp://[fe80::1]:8786"])
def test_a_scheduler(text: str) -> None:
    assert parse_cluster_address(text) == ClusterAddress(scheduler=text)


def test_workers_of_this_machine() -> None:
    assert parse_cluster_address("local:4") == ClusterAddress(workers=4)


def test_a_scheduler_file(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.json"
    path.write_text("{}")
    assert parse_cluster_address(str(path)) == ClusterAddress(file=path)


@pytest.mark.parametrize("text", ["local:0", "local:x", "local:", "http://a:1", "tcp://a", "tcp://:1", "", "no/file"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="--cluster"):
        parse_cluster_address(text)
