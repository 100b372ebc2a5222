"""An end of the link in a container of its own: one interface of the present namespace."""

from pqbed.net import sysctls
from pqbed.net.icmp_redirects import disable_redirects
from pqbed.net.netem_support import check_netem
from pqbed.net.probe_features import missing_modules
from pqbed.net.shaped_interface import ShapedInterface
from pqbed.net.static_arp import set_neighbour


class InterfaceEnd(ShapedInterface):
    """An `EndService` for interface `ifname`."""

    def __init__(self, ifname: str) -> None:
        super().__init__(None, ifname)

    def check_netem(self) -> None:
        check_netem(self.ifname)

    def missing_modules(self) -> tuple[str, ...]:
        return missing_modules(self.ifname)

    def set_neighbour(self, address: str, mac: str) -> None:
        set_neighbour(self.ifname, address, mac)

    def disable_redirects(self) -> None:
        disable_redirects(self.ifname)

    def sysctls(self) -> dict[str, str]:
        return sysctls.read()
