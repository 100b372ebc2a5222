"""What shaping costs in a guest: `guest_shape_cost.py KIND COUNT`; compare the CPU time on the host for two counts."""

import json
import sys
from dataclasses import replace

from support.netem_checks.lane import Lane
from support.netem_checks.shapes import SHAPES


def main() -> None:
    kind, count = sys.argv[1], int(sys.argv[2])
    lane = Lane()
    shapes = (SHAPES["everything"], SHAPES["rate"])
    lane.client.shape(shapes[0])
    for number in range(count):
        match kind:
            case "shape":
                lane.client.shape(shapes[number % 2])
            case "shape-netem":
                lane.client.shape(replace(shapes[0], delay_ns=number))
            case "reseed":
                lane.client.reseed(number + 1)
            case "read":
                lane.client.read()
            case "queued":
                lane.client.queued()
            case _:
                sys.exit(f"there is no {kind}")
    print(json.dumps({"kind": kind, "count": count}), flush=True)


if __name__ == "__main__":
    main()
