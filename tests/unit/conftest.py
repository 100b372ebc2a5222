"""Unit tests touch the loopback interface and no other."""

from collections.abc import Iterator

import pytest

from support import hermetic


@pytest.fixture(autouse=True)
def _hermetic() -> Iterator[None]:
    with hermetic.loopback_only():
        yield
