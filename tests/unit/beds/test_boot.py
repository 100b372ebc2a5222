"""The kernel arguments of a guest."""

from pqbed.beds.uml.guest_kernel_arguments import kernel_arguments


def test_a_guests_root_is_read_only_and_no_path_of_the_host_is_named() -> None:
    arguments = kernel_arguments("/opt/pqbed/abc", 3, "virtual")
    kernel = arguments[: arguments.index("--")]
    assert "ro" in kernel
    assert "rw" not in kernel
    assert "rootflags=/" in kernel
    assert [word for word in kernel if word.startswith("hostfs=")] == []  # the confining program adds it
    assert "PYTHONPATH=/opt/pqbed/abc:/opt/pqbed/vendor" in kernel
