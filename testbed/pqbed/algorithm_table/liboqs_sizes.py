"""Key and signature sizes according to liboqs, through liboqs-python (the extra `oqs`), if both are installed.

`import oqs` without the library prints, waits, clones and builds one, and in the end raises SystemExit: so only this
module imports it, and only after finding a library where liboqs-python looks for one.
"""

import contextlib
import ctypes
import ctypes.util
import importlib.util
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "oqs"
LIBRARY = "oqs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """`second_bytes` is a ciphertext, or the longest signature."""

    public_key_bytes: int
    second_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Liboqs:
    """Version and sizes, by the library's own names of algorithms."""

    version: str
    sizes: Mapping[str, Sizes]


def find_library(environment: Mapping[str, str] | None = None, home: Path | None = None) -> str | None:
    """Return the liboqs that liboqs-python would load, None if there is none."""
    environment = os.environ if environment is None else environment
    name = ctypes.util.find_library(LIBRARY) or ctypes.util.find_library(f"lib{LIBRARY}")
    if name:
        return name
    prefix = Path(environment.get("OQS_INSTALL_PATH") or (home or Path.home()) / "_oqs")
    names = (prefix / folder / f"lib{LIBRARY}{suffix}" for folder in ("lib", "lib64") for suffix in (".so", ".dylib"))
    return next((str(path) for path in names if path.is_file()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiboqsProbe:
    """What liboqs answered, or None and the reason."""

    liboqs: Liboqs | None = None
    reason: str = ""


def probe_liboqs() -> LiboqsProbe:
    """Ask the installed liboqs for its sizes. Never raises."""
    library = find_library()
    if library is None:
        return LiboqsProbe(reason="liboqs not found: not checked")
    try:
        ctypes.CDLL(library)
    except OSError as error:  # then liboqs-python would set out to build another
        return LiboqsProbe(reason=f"liboqs does not load ({error}): not checked")
    if importlib.util.find_spec(PACKAGE) is None:
        return LiboqsProbe(reason="liboqs found, liboqs-python not installed (pip install 'pqbed[oqs]'): not checked")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return LiboqsProbe(liboqs=_read())
    except (SystemExit, Exception) as error:  # noqa: BLE001 - whatever it raises, the table must still be printed
        return LiboqsProbe(reason=f"liboqs-python does not load ({type(error).__name__}: {error}): not checked")


def _read() -> Liboqs:
    import oqs  # noqa: PLC0415 - see above

    sizes = {}
    for name in oqs.get_enabled_kem_mechanisms():
        with oqs.KeyEncapsulation(name) as kem:
            sizes[name] = Sizes(
                public_key_bytes=kem.details["length_public_key"], second_bytes=kem.details["length_ciphertext"]
            )
    for name in oqs.get_enabled_sig_mechanisms():
        with oqs.Signature(name) as signature:
            sizes[name] = Sizes(
                public_key_bytes=signature.details["length_public_key"],
                second_bytes=signature.details["length_signature"],
            )
    return Liboqs(version=oqs.oqs_version(), sizes=sizes)
