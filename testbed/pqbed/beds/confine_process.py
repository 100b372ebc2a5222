"""Confinement of a lane's process to its root file system: a program that gives up the host's files, then becomes it.

`python3 -I -S confine_process.py guest ROOT KERNEL WORK ARGUMENT...` runs a User-mode Linux kernel with the arguments
and two more, which name its root and its own folder. hostfs gives a guest every file that its process can open
(`rootflags=` bounds one mount, and `hostfs=` does not stop `..`), so it is the process that must not be able to open
them:

1. In namespaces of its own, ROOT read-only is all there is, with a tmpfs for its memory and no network. Started by
   root it is nobody there; without privilege it takes a user namespace.
2. Where those are denied (some containers, some distributions), Landlock: ROOT and the host's libraries can be read,
   WORK can be written, nothing else (Documentation/userspace-api/landlock.rst).
3. A host with neither is refused.

`confine_process.py root ROOT COMMAND...`, as root in a mount namespace of its own, makes ROOT the root directory,
read-only, and runs a command of it in a user namespace: root there can shape its own network, and change no mount of
the host.

Imports only the standard library and nothing of pqbed: it runs before every lane.
"""

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

NOBODY = 65534
EVERYONE = "0 0 4294967295"
TMPFS_OPTIONS = "mode=1777,size=1g"
REFUSAL = (
    "a guest cannot be confined on this host, which allows neither namespaces nor Landlock: "
    "run it in containers (start a container engine), or as root"
)

# include/uapi/linux/sched.h, mount.h, prctl.h, personality.h
_NEW_MOUNTS, _NEW_IPC, _NEW_USER, _NEW_PROCESSES, _NEW_NET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_READ_ONLY, _NO_SUID, _NO_DEV, _NO_EXEC, _REMOUNT, _BIND = 1, 2, 4, 8, 32, 4096
_PRIVATE = 0x4000 | 1 << 18  # MS_REC | MS_PRIVATE
_DETACH = 2
_NO_NEW_PRIVS = 38
_NO_RANDOMIZE = 0x0040000
# arch/x86/entry/syscalls/syscall_64.tbl: the C library has no function for them
_PIVOT_ROOT, _CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 155, 444, 445, 446

# include/uapi/linux/landlock.h: rights by the ABI that brought them
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_FS_RIGHTS = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
_NET_RIGHTS, _NET_ABI = 0b11, 4
_SCOPES, _SCOPE_ABI = 0b11, 6
_PATH_BENEATH = 1
_FOLDER_RIGHTS = ~(_EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15)  # refused for a rule on a file
# What a dynamically linked program needs of the host, and the CPU's features that UML reads.
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}

_libc = ctypes.CDLL(None, use_errno=True)


def main(argv: Sequence[str]) -> None:
    """Confine this process and become another program. Does not return."""
    role, root, *rest = argv
    if role == "guest":
        run_guest(root, *rest)
    else:
        run_in_root(root, rest)


def run_guest(root: str, kernel: str, work: str, *arguments: str) -> None:
    """Confine this process and become the kernel."""
    # UML would set it and start itself anew by /proc/self/exe, which is out of reach by then.
    _check("personality", _libc.personality(_NO_RANDOMIZE))
    for confine in CONFINEMENTS:
        try:
            program, own, hostfs = confine(root, kernel, work)
        except OSError:
            continue
        environment = {"HOME": own, "TMPDIR": own, "PATH": os.defpath}
        os.execve(program, [program, f"uml_dir={own}/", f"hostfs={hostfs}", *arguments], environment)  # noqa: S606
    sys.exit(REFUSAL)


def run_in_root(root: str, command: Sequence[str]) -> None:
    """Make `root` the root directory and run `command` in it, in new namespaces; end with its exit code."""
    _mount("none", "/", None, _PRIVATE)
    _bind_read_only(root, root)
    folder = Path(root, "dev")
    _mount("tmpfs", str(folder), "tmpfs", _NO_SUID | _NO_EXEC, "mode=755,size=64k")
    for name in DEVICES:
        (folder / name).touch()
        _mount(f"/dev/{name}", str(folder / name), None, _BIND)
    for name, target in DEVICE_LINKS.items():
        (folder / name).symlink_to(target)
    # A user namespace may mount these again only if it sees them already.
    for kind, target in (("proc", f"{root}/proc"), ("sysfs", f"{root}/sys")):
        _mount(kind, target, kind, _NO_SUID | _NO_DEV | _NO_EXEC)
    _pivot(root)
    _enter_user_namespace()
    child = os.fork()
    if child == 0:  # the first process of its namespace of processes
        os.execv(command[0], list(command))  # noqa: S606
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _enter_user_namespace() -> None:
    """Leave for new namespaces in which every user is who it was. What is mounted cannot be changed from there."""
    entered, (wait, go) = os.getpid(), os.pipe()
    mapper = os.fork()
    if mapper == 0:  # only a process outside may map all users
        os.close(go)
        os.read(wait, 1)
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{entered}/{name}").write_text(EVERYONE)
        os._exit(0)
    _check("unshare", _libc.unshare(_NEW_USER | _NEW_MOUNTS | _NEW_NET | _NEW_IPC | _NEW_PROCESSES))
    os.close(go)
    if os.waitpid(mapper, 0)[1] != 0:
        sys.exit("the users of a namespace could not be mapped: the netns bed needs user namespaces")


def enter_namespaces(root: str, kernel: str, work: str) -> tuple[str, str, str]:
    """Make `root` this process's own, read-only. Return the paths of the kernel, a writable folder and the root."""
    del work  # a tmpfs that ends with the process takes its place
    user, group = os.geteuid(), os.getegid()
    _unshare(user == 0)
    if user != 0:
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount("none", "/", None, _PRIVATE)
    _bind_read_only(root, root)
    own, proc = f"{root}/tmp", f"{root}/proc"  # noqa: S108 - in the root
    _mount("tmpfs", own, "tmpfs", _NO_SUID | _NO_DEV, TMPFS_OPTIONS)
    _mount("tmpfs", proc, "tmpfs", _NO_SUID | _NO_DEV | _NO_EXEC, "mode=755,size=64k")
    for source, target in ((kernel, f"{own}/linux"), ("/proc/cpuinfo", f"{proc}/cpuinfo")):
        Path(target).touch()
        _bind_read_only(source, target)
    _mount("none", proc, None, _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | _NO_DEV | _NO_EXEC)
    _pivot(root)
    if user == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    _check("prctl", _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    return "/tmp/linux", "/tmp", "/"  # noqa: S108 - the guest's own


def restrict_by_landlock(root: str, kernel: str, work: str) -> tuple[str, str, str]:
    """Restrict this process to `root`, which it can read, and `work`. Return as enter_namespaces does."""
    abi = _check("Landlock", _libc.syscall(_CREATE_RULESET, None, 0, 1))
    every = sum(rights for since, rights in _FS_RIGHTS if since <= abi)
    handled = (every, _NET_RIGHTS if abi >= _NET_ABI else 0, _SCOPES if abi >= _SCOPE_ABI else 0)
    attribute = (ctypes.c_uint64 * 3)(*handled)
    size = 24 if abi >= _SCOPE_ABI else 16 if abi >= _NET_ABI else 8
    rules = _check("Landlock", _libc.syscall(_CREATE_RULESET, attribute, size, 0))
    read = _EXECUTE | _READ_FILE | _READ_DIR
    for path in (root, kernel, "/proc/cpuinfo", *LIBRARIES):
        _allow(rules, path, read)
    _allow(rules, "/dev/null", _READ_FILE | _WRITE_FILE)
    _allow(rules, work, every)
    _check("prctl", _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    _check("Landlock", _libc.syscall(_RESTRICT_SELF, rules, 0))
    os.close(rules)
    return kernel, work, root


def _pivot(root: str) -> None:
    """Make the mount `root` the root directory and let go of the old one (pivot_root(2))."""
    os.chdir(root)
    _check("pivot_root", _libc.syscall(_PIVOT_ROOT, b".", b"."))
    _check("umount2", _libc.umount2(b".", _DETACH))
    os.chdir("/")


def _unshare(privileged: bool) -> None:
    flags = _NEW_MOUNTS | _NEW_NET | _NEW_IPC | (0 if privileged else _NEW_USER)
    _check("unshare", _libc.unshare(flags))


def _bind_read_only(source: str, target: str) -> None:
    """Bind `source` to `target`. The flags of its mount stay: a user namespace may not take them away."""
    _mount(source, target, None, _BIND)
    kept = os.statvfs(target).f_flag & (_NO_SUID | _NO_DEV | _NO_EXEC)
    _mount("none", target, None, _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | _NO_DEV | kept)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    words = [None if word is None else word.encode() for word in (source, target, kind)]
    _check(f"mount {target}", _libc.mount(*words, ctypes.c_ulong(flags), options and options.encode()))


def _allow(rules: int, path: str, rights: int) -> None:
    """Add a rule for everything beneath `path`, where there is one."""
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not Path(path).is_dir():
        rights &= ~_FOLDER_RIGHTS
    # struct landlock_path_beneath_attr is packed: 64 bits of rights, 32 of descriptor.
    rule = ctypes.create_string_buffer(rights.to_bytes(8, sys.byteorder) + beneath.to_bytes(4, sys.byteorder), 12)
    _check(f"Landlock {path}", _libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0))
    os.close(beneath)


def _check(what: str, result: int) -> int:
    """Return the result of a call. Raises OSError if it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


# In the order of preference.
CONFINEMENTS = (enter_namespaces, restrict_by_landlock)

if __name__ == "__main__":
    main(sys.argv[1:])
