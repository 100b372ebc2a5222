"""Run the checks of net/ against a kernel that has netem, or those named; print one JSON line a check."""

import json
import sys
import traceback
from pathlib import Path
from typing import Any

from support.netem_checks import CHECKS
from support.netem_checks.lane import Lane


def main() -> None:
    tell({"check": "kernel", "ok": True, "detail": Path("/proc/version").read_text()})
    lane = Lane()
    chosen = [function for function in CHECKS if not sys.argv[1:] or function.__name__ in sys.argv[1:]]
    for function in chosen:
        line: dict[str, Any] = {"check": function.__name__, "ok": True}
        try:
            line["detail"] = function(lane)
        except Exception:  # noqa: BLE001 - whatever it is, it goes to the one who reads
            line |= {"ok": False, "detail": traceback.format_exc()}
        tell(line)


def tell(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


main()
