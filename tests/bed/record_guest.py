"""Recording of what a guest of this host measures, for unit tests without one: tests/golden/guest/.

    cd tests && ../.venv/bin/python -m bed.record_guest

`calibration.json` holds the measurement of every link of support/wrong_links.py, `expectation.json` the milestones of
every cell of support/expectation_grid.py and the client's retransmissions.
"""

import json
from pathlib import Path
from typing import Any

from pqbed.artefacts import prepare_uml
from support import guest as guests

FOLDER = Path(__file__).parents[1] / "golden" / "guest"
MILESTONES = ("tcp_connect_ns", "tls_done_ns", "first_byte_ns", "last_byte_ns", "retransmits")


def main() -> None:
    made = prepare_uml()
    guest = guests.Guest(made.kernel, made.root)
    kernel = made.kernel_version
    links = guests.run_in_guest(guest, Path(__file__).with_name("guest_calibration.py"))
    write("calibration.json", {"kernel": kernel, "links": {row["name"]: row["measured"] for row in links}})
    served, *fetches = guests.run_in_guest(guest, Path(__file__).with_name("guest_expectation.py"))
    write("expectation.json", {"kernel": kernel, **expectation(served, fetches)})


def expectation(first: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    sizes = ("certificate_wire_bytes", "client_certificate_wire_bytes")
    return {
        "certificates": {each["profile"]["name"]: [each[size] for size in sizes] for each in first["served"]},
        "fetches": {row["cell_id"]: [row["timings"][name] for name in MILESTONES] for row in rows},
    }


def write(name: str, content: dict[str, Any]) -> None:
    """Write JSON with one line per entry, so that a change can be read."""
    lines = []
    for key, value in content.items():
        if not isinstance(value, dict):
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
            continue
        entries = ",\n".join(f"{json.dumps(each)}: {json.dumps(of)}" for each, of in value.items())
        lines.append(f"{json.dumps(key)}: {{\n{entries}\n}}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
