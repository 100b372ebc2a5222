"""The root file system of the uml bed: a folder with the same programs as the image of the stack."""

import shutil
from pathlib import Path

from pqbed.beds.artefacts.bootstrap import UNREAD, bootstrap, copy_in, copy_out, in_root
from pqbed.beds.artefacts.cache import cache_home, hash_inputs
from pqbed.beds.artefacts.command import Command, OnStep, run_commands
from pqbed.beds.artefacts.recipes import SUITE, read_packages, recipe_folder

SCRIPTS = ("packages-build.txt", "packages-run.txt", "wheels.txt", "build-pycurl.sh", "settle.sh")
VENDOR = "opt/pqbed/vendor"
# Raised when what this module does to a root changes, so that cached ones are not taken for it.
FORMAT = "root/1"


def root_entry() -> Path:
    """The cache entry of the root made by today's recipe."""
    folder = recipe_folder("openssl")
    return cache_home() / "roots" / hash_inputs(FORMAT, SUITE, *UNREAD, *(folder / name for name in SCRIPTS))


def vendor_packages() -> tuple[str, ...]:
    """What the builder root needs to make pycurl."""
    return read_packages(recipe_folder("openssl") / "packages-build.txt")


def vendor_hooks(wheels: Path, target: Path) -> list[str]:
    """Steps in the builder root that end with a folder `vendor` in the host's folder `target`."""
    script = recipe_folder("openssl") / "build-pycurl.sh"
    return [
        'mkdir -p "$1/build/openssl" "$1/build/wheels" "$1/build/out"',
        copy_in("/build/openssl", script),
        copy_in("/build/wheels", *sorted(wheels.iterdir())),
        in_root("/build/openssl/build-pycurl.sh", "/build/wheels", "/build/out/vendor"),
        copy_out("/build/out/vendor", target),
    ]


def system_command(tar: Path, ca_bundle: Path | None) -> Command:
    """The run that makes the root's programs, as a tar."""
    folder = recipe_folder("openssl")
    hooks = [
        'mkdir -p "$1/build"',
        copy_in("/build", folder / "settle.sh"),
        in_root("/build/settle.sh"),
        'rm -r "$1/build"',
    ]
    packages = read_packages(folder / "packages-run.txt")
    return bootstrap(
        "root file system", variant="essential", packages=packages, output=tar, hooks=hooks, ca_bundle=ca_bundle
    )


def assemble_root(partial: Path, tar: Path, vendor: Path, on_step: OnStep) -> None:
    """Unpack the programs into `partial` and add what the agent imports. Consumes `tar` and `vendor`."""
    # Everything belongs to whoever runs pqbed: the guest's root is that user, seen through hostfs.
    argv = ["tar", "-x", "-f", str(tar), "-C", str(partial), "--no-same-owner", "--exclude=./dev/*"]
    run_commands([Command(name="unpacking", argv=argv)], on_step)
    tar.unlink()
    (partial / "dev").mkdir(exist_ok=True)
    (partial / VENDOR).parent.mkdir(parents=True)
    shutil.move(vendor, partial / VENDOR)
    (partial / "etc/hostname").write_text("pqbed\n", encoding="ascii")
    for left in ("etc/resolv.conf", "etc/apt/apt.conf.d/99mmdebstrap"):
        (partial / left).unlink(missing_ok=True)


def root_hash(entry: Path) -> str:
    """Hash what a root holds: its recipe and the exact versions of its packages."""
    return hash_inputs(entry.name, entry / "var/lib/dpkg/status")
