"""The kernel arguments of a guest."""

from pqbed.beds.uml.guest_kernel_arguments import kernel_arguments
from pqbed.spec.run_options import Clock

CLOCKS: tuple[Clock, ...] = ("virtual", "real")


def test_a_guests_root_is_read_only_and_no_path_of_the_host_is_named() -> None:
    arguments = kernel_arguments("/opt/pqbed/abc", 3, "virtual")
    kernel = arguments[: arguments.index("--")]
    assert "ro" in kernel
    assert "rw" not in kernel
    assert "rootflags=/" in kernel
    assert [word for word in kernel if word.startswith("hostfs=")] == []  # the confining program adds it
    assert "PYTHONPATH=/opt/pqbed/abc:/opt/pqbed/vendor" in kernel


def test_a_client_makes_fewer_system_calls_in_virtual_time_and_those_of_libcurl_on_the_real_clock() -> None:
    preload = "LD_PRELOAD=/opt/pqbed/vendor/fewer_calls.so"
    virtual, real = (kernel_arguments("/opt/pqbed/abc", 3, clock) for clock in CLOCKS)
    assert preload in virtual[: virtual.index("--")]
    assert preload not in real
