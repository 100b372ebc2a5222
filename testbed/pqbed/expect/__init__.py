"""The packet-level expectation of a fetch without loss, and why one takes longer than another.

`pqbed.model` is the floor: what physics allows. This is what Linux does with it: segments, acknowledgements, windows.
"""

from pqbed.expect.account import Account, account_difference
from pqbed.expect.bounds import Bounds, Floors, bounds_of
from pqbed.expect.connection import Expected, expect_fetch
from pqbed.expect.end import Flight
from pqbed.expect.exchange import Exchange, exchange_of

__all__ = [
    "Account",
    "Bounds",
    "Exchange",
    "Expected",
    "Flight",
    "Floors",
    "account_difference",
    "bounds_of",
    "exchange_of",
    "expect_fetch",
]
