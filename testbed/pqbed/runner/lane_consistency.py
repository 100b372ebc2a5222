"""Lanes of one run on one kind of kernel and software, however often they are opened again."""

import threading
from dataclasses import replace

from pqbed.agent.lane_facts import LaneFacts
from pqbed.errors import StoreError
from pqbed.store.manifest import Manifest
from pqbed.store.provenance import other_lane


class SameLanes:
    """Compares each lane with the manifest of the run, or in a new run with the first lane. Thread-safe."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._lock = threading.Lock()

    def compare(self, facts: LaneFacts) -> None:
        """Raise StoreError if a lane differs from those that the samples of the run are from."""
        with self._lock:
            difference = other_lane(self._manifest, facts.kernel, facts.versions, facts.sysctls)
            if not self._manifest.kernel:
                self._manifest = replace(
                    self._manifest, kernel=facts.kernel, versions=facts.versions, sysctls=facts.sysctls
                )
        if difference:
            raise StoreError(
                f"a lane is not the same as those of the run before: {difference}",
                "undo the change and continue with --resume, or start a new run",
            )
