"""Headers of shared objects: what is none, or is for another machine, is refused in one sentence."""

import platform
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pycurl
import pytest

from pqbed.artefacts.elf_files import read_shared_object
from pqbed.errors import SpecError


@pytest.fixture(scope="module")
def shared_object() -> bytes:
    """The contents of a real one: the compiled part of pycurl."""
    return next(Path(pycurl.__file__).parent.glob("_pycurl*.so")).read_bytes()


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Any]:
    def write(content: bytes) -> Path:
        path = tmp_path / "module.so"
        path.write_bytes(content)
        return path

    return write


def test_what_a_shared_object_needs_is_read(shared_object: bytes, written: Callable[..., Any]) -> None:
    shared = read_shared_object(written(shared_object))
    assert shared.machine == platform.machine()
    assert "libc.so.6" in shared.needed
    assert (2, 2) <= shared.glibc < (3, 0)
    assert not shared.provider


def test_a_module_names_the_function_that_openssl_calls(shared_object: bytes, written: Callable[..., Any]) -> None:
    assert read_shared_object(written(shared_object + b"\0OSSL_provider_init\0")).provider


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, b"#!/b", "is not an ELF file"),
        (4, b"\1", "is for x86_64, 32 bit, and this host is"),
        (16, struct.pack("<H", 1), "is an ELF file, but not a shared object"),
        (18, struct.pack("<H", 22), "is for s390x, and this host is"),
        (18, struct.pack("<H", 9999), "is for machine 9999, and this host is"),
        (32, struct.pack("<Q", 1 << 40), "is a damaged ELF file"),
    ],
)
def test_another_file_is_refused(
    shared_object: bytes, written: Callable[..., Any], at: int, value: bytes, message: str
) -> None:
    path = written(shared_object[:at] + value + shared_object[at + len(value) :])
    with pytest.raises(SpecError, match=f"^{re.escape(str(path))} {message}"):
        read_shared_object(path)


@pytest.mark.parametrize("size", [0, 4, 40, 4096])
def test_a_file_that_is_cut_off_is_refused(shared_object: bytes, written: Callable[..., Any], size: int) -> None:
    with pytest.raises(SpecError, match="is not an ELF file" if size < 4 else "is a damaged ELF file"):
        read_shared_object(written(shared_object[:size]))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"cannot read .*none\.so: No such file or directory"):
        read_shared_object(tmp_path / "none.so")
