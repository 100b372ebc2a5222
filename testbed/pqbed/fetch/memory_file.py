"""A file with a name that is in memory alone, for libraries that take credentials by path (memfd_create(2))."""

import os
from pathlib import Path


class MemoryFile:
    """Holds `text` until `close`. Only this process and its user can open `path`."""

    def __init__(self, text: str) -> None:
        self._descriptor = os.memfd_create("pqbed", os.MFD_CLOEXEC)
        self.path = f"/proc/self/fd/{self._descriptor}"
        Path(self.path).write_text(text)

    def close(self) -> None:
        """Forget the text."""
        os.close(self._descriptor)
