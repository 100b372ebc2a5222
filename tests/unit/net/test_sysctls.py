import subprocess
import sys

from pqbed.net.sysctls import PINS, RECORDED, read
from pqbed.spec.link_end_shape import UNLIMITED_IN_FLIGHT_BYTES


def test_pins_need_no_netlink() -> None:
    code = "import sys; import pqbed.net.sysctls; assert 'pyroute2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pins_and_recorded_do_not_overlap() -> None:
    assert not set(PINS) & set(RECORDED)


def test_receive_window_is_the_one_the_limit_was_computed_for() -> None:
    assert int(PINS["net.ipv4.tcp_rmem"].split()[-1]) == UNLIMITED_IN_FLIGHT_BYTES


def test_reading_leaves_out_what_is_not_there() -> None:
    state = read()
    assert set(state) <= {*PINS, *RECORDED, "HZ"}
    assert all(value == " ".join(value.split()) for value in state.values())
