"""Where a sweep with a precision is looked at: after fixed numbers of blocks, whatever was measured. Pure.

Each checkpoint lies a quarter beyond the one before. A comparison that is precise from n samples on is therefore
stopped by 1.25 n; and as it is looked at some twenty times up to a thousand samples, not a thousand times, it has few
chances to look precise by luck (docs/design/dd-013-precision.md says what is left of that).
"""

# Below this the interval of a median is itself a rough guess.
FEWEST_BLOCKS = 20
GROWTH_PERCENT = 125


def checkpoints(most: int) -> tuple[int, ...]:
    """Return the numbers of blocks after which is looked, ascending; the last is `most`."""
    found = [min(FEWEST_BLOCKS, most)]
    while found[-1] < most:
        found.append(min(most, found[-1] * GROWTH_PERCENT // 100))
    return tuple(found)


def blocks_expected(blocks: int, width: float, wanted: float, most: int) -> int:
    """Return at which checkpoint an interval that is `width` wide after `blocks` is expected to be `wanted`.

    Widths shrink as 1/sqrt(n). An unknown width (infinite) is expected to take all.
    """
    needed = blocks * (width / wanted) ** 2
    return next((point for point in checkpoints(most) if point > blocks and point >= needed), most)
