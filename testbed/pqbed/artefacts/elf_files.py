"""ELF shared objects: their architecture, the libraries they need, and the glibc versions they ask for.

Format: elf(5) and the Linux Standard Base's symbol versioning. 64-bit little-endian files only.
"""

import platform
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pqbed.errors import SpecError

# e_machine (elf.h), as `uname -m` names it.
_MACHINES = {62: "x86_64", 183: "aarch64", 243: "riscv64", 21: "ppc64le", 22: "s390x", 258: "loongarch64"}
_IDENTITY = b"\x7fELF"
_64_BIT, _LITTLE_ENDIAN, _SHARED_OBJECT = 2, 1, 3
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_VERNEED, _DT_VERNEEDNUM = 1, 5, 14, 0x6FFFFFFE, 0x6FFFFFFF
_HEADER = struct.Struct("<16xHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_DYNAMIC = struct.Struct("<qQ")
_NEED, _NEED_VERSION = struct.Struct("<HHIII"), struct.Struct("<IHHII")
_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedObject:
    """`needed`: the sonames of libraries. `glibc`: the newest version of glibc's symbols asked for, (0, 0) none.

    `provider`: whether it names the function by which OpenSSL loads a provider (provider-base(7)).
    """

    machine: str
    soname: str
    needed: tuple[str, ...]
    glibc: tuple[int, int]
    provider: bool


def read_shared_object(path: Path) -> SharedObject:
    """Read the headers of `path`. Raises SpecError for what is no shared object of this host's architecture."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SpecError(f"cannot read {path}: {error.strerror}") from error
    if data[:4] != _IDENTITY:
        raise SpecError(f"{path} is not an ELF file", "name the compiled module or library (.so)")
    try:
        kind, machine, *_ = _HEADER.unpack_from(data)
        name = _MACHINES.get(machine, f"machine {machine}")
        if (data[4], data[5]) != (_64_BIT, _LITTLE_ENDIAN) or name != platform.machine():
            name = name if data[4] == _64_BIT else f"{name}, 32 bit"
            raise SpecError(f"{path} is for {name}, and this host is {platform.machine()}", "compile it for this host")
        if kind != _SHARED_OBJECT:
            raise SpecError(f"{path} is an ELF file, but not a shared object", "link it with -shared")
        return _read(data, name)
    except (struct.error, IndexError, StopIteration) as error:
        raise SpecError(f"{path} is a damaged ELF file", "copy it again") from error


def _read(data: bytes, machine: str) -> SharedObject:
    _, _, _, _, start, _, _, _, size, count, *_ = _HEADER.unpack_from(data)
    headers = [_PROGRAM_HEADER.unpack_from(data, start + size * number) for number in range(count)]
    loaded: list[tuple[int, int, int]] = [
        (header[3], header[2], header[5]) for header in headers if header[0] == _PT_LOAD
    ]

    def offset(address: int) -> int:
        """Return where in the file that is which will be at `address`."""
        first, place, _ = next(part for part in loaded if part[0] <= address < part[0] + part[2])
        return int(place + address - first)

    _, _, place, _, _, length, *_ = next(header for header in headers if header[0] == _PT_DYNAMIC)
    entries = list(_DYNAMIC.iter_unpack(data[place : place + length]))
    if not entries:
        raise IndexError
    values = dict(entries)
    names = offset(values[_DT_STRTAB]) if _DT_STRTAB in values else 0
    versions: list[str] = []
    if _DT_VERNEED in values:
        versions = [_text(data, names + at) for at in _versions(data, offset(values[_DT_VERNEED]), values)]
    glibc = [(int(match[1]), int(match[2])) for version in versions if (match := _GLIBC.match(version))]
    return SharedObject(
        machine=machine,
        soname=_text(data, names + values[_DT_SONAME]) if _DT_SONAME in values else "",
        needed=tuple(_text(data, names + value) for tag, value in entries if tag == _DT_NEEDED),
        glibc=max(glibc, default=(0, 0)),
        provider=b"\0OSSL_provider_init\0" in data,
    )


def _versions(data: bytes, at: int, values: dict[int, int]) -> Iterator[int]:
    """Yield where in the table of names the needed symbol versions are."""
    for _ in range(values.get(_DT_VERNEEDNUM, 0)):
        _, count, _, first, following = _NEED.unpack_from(data, at)
        version = at + first
        for _ in range(count):
            _, _, _, name, step = _NEED_VERSION.unpack_from(data, version)
            yield name
            version += step
        at += following


def _text(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode("ascii", "replace")
