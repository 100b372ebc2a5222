import os
from pathlib import Path

from pqbed.fetch.memory_file import MemoryFile


def test_a_file_in_memory_can_be_read_by_its_name_until_it_is_closed() -> None:
    file = MemoryFile("a\nb\n")
    assert [Path(file.path).read_text() for _ in range(2)] == ["a\nb\n", "a\nb\n"]
    assert str(Path(file.path).readlink()).startswith("/memfd:pqbed")
    file.close()
    assert not os.path.lexists(file.path)
