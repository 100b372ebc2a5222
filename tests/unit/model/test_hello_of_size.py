import pytest

from pqbed.errors import SpecError
from pqbed.model.hello_of_size import MOST_SHARES, TOLERANCE_BYTES, size_hello
from pqbed.model.message_sizes import client_hello_bytes
from pqbed.spec.builtin_profiles import profile_named
from pqbed.spec.profile import MOST_GROUPS


@pytest.mark.parametrize("name", ["pq", "classical"])
@pytest.mark.parametrize("wanted", [1_700, 1_944, 2_500, 3_500])
def test_a_hello_has_the_size_to_within_a_byte(name: str, wanted: int) -> None:
    plain = profile_named(name)
    sized = size_hello(plain, wanted)
    assert abs(client_hello_bytes(sized, sized.key_shares) - wanted) <= TOLERANCE_BYTES
    assert (sized.group, sized.accepted, sized.retries) == (plain.group, plain.accepted, False)
    assert len(sized.shares) <= MOST_SHARES
    assert len(sized.groups) <= MOST_GROUPS


def test_its_own_size_changes_nothing_on_the_wire() -> None:
    sized = size_hello(profile_named("pq"), 1_428)
    assert (sized.offered, sized.key_shares) == (("X25519MLKEM768",), ("X25519MLKEM768",))


@pytest.mark.parametrize(("wanted", "hint"), [(1_400, "1428"), (9_000, "5960")])
def test_what_is_out_of_reach_names_the_nearest(wanted: int, hint: str) -> None:
    with pytest.raises(SpecError) as refused:
        size_hello(profile_named("pq"), wanted)
    assert hint in refused.value.hint
