"""The packet-level expectation of a fetch without loss.

`pqbed.model` is the floor: what physics allows. This is what Linux does with it: segments, acknowledgements, windows.
"""

from pqbed.expect.connection import Expected, expect_fetch
from pqbed.expect.end import Flight
from pqbed.expect.exchange import Exchange, exchange_of

__all__ = ["Exchange", "Expected", "Flight", "exchange_of", "expect_fetch"]
