"""What the values of one link cannot mean together, whatever it is set by: a sweep, `up`, `link set`."""

from pqbed.errors import SpecError
from pqbed.spec.link import Link
from pqbed.spec.path_mtu import format_path_mtu


def check_link(link: Link, mtu: int) -> None:
    """Raise SpecError if packets of `link` would not be lost as it says; `mtu` is the smallest of its ends."""
    if link.drop and link.segmentation != "wire":
        raise SpecError(
            f"--drop counts packets as they are on the wire, and with --segmentation {link.segmentation} TCP sends "
            "larger ones",
            "leave out --segmentation, or --drop",
        )
    if link.path_mtu is not None:
        _check_path_mtu(link, mtu)


def _check_path_mtu(link: Link, mtu: int) -> None:
    """Refuse a path that takes all that its ends send, and to lose packets that are not those of the wire."""
    if link.path_mtu is not None and link.path_mtu.size_bytes >= mtu:
        raise SpecError(
            f"--path-mtu {format_path_mtu(link.path_mtu)} is not below --mtu {mtu}: nothing is too large",
            "give a smaller --path-mtu, or a larger --mtu",
        )
    if link.segmentation != "wire":
        raise SpecError(
            f"--path-mtu is about packets on the wire, and with --segmentation {link.segmentation} TCP sends larger "
            "ones",
            "leave out --segmentation, or --path-mtu",
        )
