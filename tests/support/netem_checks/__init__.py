"""Checks of net/ against a kernel that has netem: for a guest, as root.

In virtual time a delay is exact to the few microseconds that system calls take.
"""

from support.netem_checks import packets, state

CHECKS = (*state.CHECKS, *packets.CHECKS)
