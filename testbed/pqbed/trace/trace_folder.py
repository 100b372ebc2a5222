"""The folder of a trace: captures, key log, numbers and pictures, written atomically."""

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from pqbed.atomic_files import sync_folder, translate_os_errors, write_synced
from pqbed.store.run_directory import MAKING_PREFIX, place_folder

KEY_LOG_NAME = "keys.log"
CLIENT_PCAP_NAME = "client.pcap"
SERVER_PCAP_NAME = "server.pcap"
TRACE_NAME = "trace.json"
OWNER_ALONE = 0o600


def write_trace(out: Path, name: str, files: Mapping[str, bytes], keys: str) -> Path:
    """Create `out`/<utc>-<name>/ with `files` and the key log, which only the owner may read; return it.

    Raises StoreError if `out` cannot be written.
    """
    with translate_os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        making = out / f"{MAKING_PREFIX}{secrets.token_hex(8)}"
        making.mkdir()
        try:
            write_synced(making / KEY_LOG_NAME, keys.encode(), mode=OWNER_ALONE)
            for file, content in files.items():
                write_synced(making / file, content)
            sync_folder(making)
            return place_folder(making, out, name)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
