"""The folder of a trace: captures, keys, numbers and pictures, whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from pqbed.store.atomic import sync_folder, told, write_synced
from pqbed.store.run import MAKING_PREFIX, place_folder

KEY_LOG_NAME = "keys.log"
CLIENT_PCAP_NAME = "client.pcap"
SERVER_PCAP_NAME = "server.pcap"
TRACE_NAME = "trace.json"


def write_trace(out: Path, name: str, files: Mapping[str, bytes], keys: str) -> Path:
    """Make `out`/<utc>-<name>/ with `files` and the key log, which is the owner's alone; return it.

    Raises StoreError where `out` cannot be written.
    """
    with told(out):
        out.mkdir(parents=True, exist_ok=True)
        making = out / f"{MAKING_PREFIX}{secrets.token_hex(8)}"
        making.mkdir()
        try:
            _write_secret(making / KEY_LOG_NAME, keys.encode())
            for file, content in files.items():
                write_synced(making / file, content)
            sync_folder(making)
            return place_folder(making, out, name)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise


def _write_secret(path: Path, content: bytes) -> None:
    """Write what nobody else may read, not even while it is being written."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - by its descriptor
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
