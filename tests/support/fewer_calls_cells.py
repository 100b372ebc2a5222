"""The cells in which a fetch with fewer system calls is held against libcurl's own; read on both sides."""

from pqbed.spec.link import RandomLoss
from pqbed.spec.link_timeline import Outage
from support.expectation_grid import ANY, EDGES, GRID, PROFILES, SMALL_WINDOWS, UPLINKS, make_cell, on_link
from support.units import MS

LOSSLESS = (*GRID[::9], *EDGES, *UPLINKS[::5], *SMALL_WINDOWS[::7], *ANY[::9])
LOSSY = tuple(
    on_link(make_cell(profile, 35, rate, 10, size_kib), loss=RandomLoss(probability_ppm=50_000))
    for rate in (1, 100)
    for size_kib in (50, 200)
    for profile in (PROFILES[0], PROFILES[2])
)
CELLS = tuple(dict.fromkeys((*LOSSLESS, *LOSSY)))
# Without a rate segments come faster than they are read.
UNPACED = make_cell(PROFILES[0], 35, 0, 10, 200)
# The link is gone for good in the middle of a response.
STOPPED = on_link(make_cell(PROFILES[0], 35, 1, 10, 200), outage=Outage(at_ns=1_000 * MS, for_ns=10_000_000 * MS))
