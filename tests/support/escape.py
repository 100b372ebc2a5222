"""Attempts to leave a lane's root file system, as a script for its first process: one JSON line of what succeeded."""

import base64
import zlib

# Run with `exec`; SECRET is the path of a file of the host, OUTSIDE that of one that must not come to be.
ESCAPE = """
import ctypes, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def mount(source, target, kind, flags=0, data=None):
    return libc.mount(source, target, kind, flags, data) == 0
def succeeded(attempt):
    try:
        attempt()
    except OSError:
        return False
    return True
def write(path):
    with open(path, "w") as file:
        file.write("written from inside")
mount(b"proc", b"/proc", b"proc")
mount(b"tmpfs", b"/tmp", b"tmpfs")
mount(b"tmpfs", b"/run", b"tmpfs")
os.mkdir("/tmp/host")
escapes = []
mount(b"none", b"/", None, 32)
inside = "/opt/pqbed-escape"
if succeeded(lambda: write(inside)):
    escapes.append("wrote to its root")
    os.unlink(inside)
for option in (b"/", b"/../../../../../../../../../..", b"../../../../../../../../../../"):
    for kind in (b"hostfs", b"devtmpfs"):
        if not mount(b"none", b"/tmp/host", kind, 0, option if kind == b"hostfs" else None):
            continue
        if kind == b"hostfs":
            for path in ("@SECRET@",):
                if succeeded(lambda: open("/tmp/host" + path).read()):
                    escapes.append(f"read {path} through {option.decode()}")
            if succeeded(lambda: write("/tmp/host@OUTSIDE@")):
                escapes.append(f"wrote through {option.decode()}")
            shadow = "/tmp/host/etc/shadow"
            if succeeded(lambda: open(shadow).read()):
                escapes.append(f"read /etc/shadow through {option.decode()}")
        libc.umount(b"/tmp/host")
for path in ("@SECRET@", "/proc/1/root@SECRET@"):
    if succeeded(lambda: open(path).read()):
        escapes.append(f"read {path}")
if succeeded(lambda: write("@OUTSIDE@")):
    escapes.append("wrote outside")
print(json.dumps({"escapes": escapes, "user": os.getuid()}))
sys.stdout.flush()
libc.reboot(0x4321FEDC) if os.getpid() == 1 and os.path.exists("/proc/exitcode") else None
"""


def escape_script(secret: str, outside: str) -> str:
    """Return the script for these two paths of the host, as an argument for `python3 -c`."""
    script = ESCAPE.replace("@SECRET@", secret).replace("@OUTSIDE@", outside)
    packed = base64.b64encode(zlib.compress(script.encode(), 9)).decode()  # a kernel's command line is short
    return f"exec(__import__('zlib').decompress(__import__('base64').b64decode('{packed}')))"
