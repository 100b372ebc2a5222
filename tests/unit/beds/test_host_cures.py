"""Cures by kind of host."""

from pathlib import Path

import pytest

from pqbed.beds.host_cures import OTHER, PLATFORMS, UNCHECKED, HostPlatform, netem_cure, platform_of, seed_cure

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "hosts.md"


@pytest.mark.parametrize(
    ("system", "kernel", "address", "name"),
    [
        ("Docker Desktop", "6.10.14-linuxkit", "unix:///run/docker.sock", "Docker Desktop"),
        ("Docker Desktop", "5.15.167.4-microsoft-standard-WSL2", "npipe:////./pipe/docker_engine", "Docker Desktop"),
        ("Ubuntu 24.04.1 LTS", "5.15.167.4-microsoft-standard-WSL2", "unix:///var/run/docker.sock", "WSL2"),
        ("Ubuntu 24.04 LTS", "6.8.0-39-generic", "unix:///Users/me/.colima/default/docker.sock", "Colima"),
        ("Ubuntu 24.04.1 LTS", "6.8.0-48-generic", "ssh://lab", "Ubuntu"),
        ("Debian GNU/Linux 12 (bookworm)", "6.1.0-27-amd64", "unix:///run/user/1000/docker.sock", "Debian"),
        ("Red Hat Enterprise Linux 9.4 (Plow)", "5.14.0-427.el9.x86_64", "", "RHEL"),
        ("Rocky Linux 9.4 (Blue Onyx)", "5.14.0-427.el9.x86_64", "", "RHEL"),
        ("fedora", "6.11.4-301.fc41.x86_64", "", "Fedora"),
        ("Arch Linux", "6.11.5-arch1-1", "", "Linux"),
    ],
)
def test_a_host_is_known_by_what_it_says_of_itself(system: str, kernel: str, address: str, name: str) -> None:
    assert platform_of(system, kernel, address).name == name


@pytest.mark.parametrize("host", [*PLATFORMS, OTHER], ids=lambda host: host.name)
def test_each_cure_names_its_host_and_the_way_around(host: HostPlatform) -> None:
    for cure in (netem_cure(host), seed_cure(host)):
        assert cure.startswith(f"{host.name}: ")
        assert "--bed uml" in cure
    assert "6.6" in seed_cure(host)
    assert "as root of the engine's host" in netem_cure(host, rootless=True)


def test_cures_that_no_one_carried_out_say_so() -> None:
    checked = {host.name for host in PLATFORMS if UNCHECKED not in host.netem + host.seed}
    assert checked == {"Debian"}


def test_the_page_on_hosts_has_each_of_them() -> None:
    text = PAGE.read_text()
    for host in PLATFORMS:
        assert f"| {host.name}" in text
