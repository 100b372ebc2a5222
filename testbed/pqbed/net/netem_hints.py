"""Hints for kernels whose netem is missing or too old."""

NO_NETEM_HINT = (
    "load it on the engine's host (modprobe sch_netem; Ubuntu has it in linux-modules-extra-$(uname -r), Fedora and "
    "RHEL in kernel-modules-extra), or use the uml bed, which brings its own kernel: --bed uml"
)
SEED_HINT = (
    "pqbed seeds netem so that all profiles lose the same packets, which takes Linux 6.6 or newer (Debian 12: "
    "linux-image-amd64 of bookworm-backports; Ubuntu 22.04: linux-generic-hwe-22.04), or use the uml bed, which brings "
    "its own kernel: --bed uml"
)
