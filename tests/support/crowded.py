"""A fake bed on which more than some lanes at once disturb one another."""

import threading
import time

from pqbed.beds.fake import FakeBed, FakeLane


class CrowdedBed(FakeBed):
    """More than `room` lanes at once make each fetch a tenth slower."""

    def __init__(self, room, pause_s=0.002):
        super().__init__(clock="real")
        self.room, self.pause_s = room, pause_s
        self.inside = 0
        self.guard = threading.Lock()
        self.opened = []

    def open_lane(self, index, profiles, timeout_ns):
        self.opened.append(CrowdedLane(self, index, profiles, timeout_ns))
        return self.opened[-1]


class CrowdedLane(FakeLane):
    closed = False

    def run(self, cells, fetches):
        bed = self._bed
        for fetch, timings in super().run(cells, fetches):
            with bed.guard:
                bed.inside += 1
            time.sleep(bed.pause_s)
            with bed.guard:
                crowded = bed.inside > bed.room
                bed.inside -= 1
            if crowded:
                object.__setattr__(timings, "last_byte_ns", round(timings.last_byte_ns * 1.1))
            yield fetch, timings

    def close(self):
        self.closed = True
        super().close()
