"""Units as the values are counted in: times in ns, rates in bit/s, sizes in bytes."""

MS, S = 1_000_000, 1_000_000_000
MBIT = 1_000_000
KIB = 1024
