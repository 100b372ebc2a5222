import subprocess
import sys

import pytest

IMPORTS = {
    "server": ("pqbed.agent.lane_part_interfaces", "pqbed.tls.server_process"),
    "client": ("pqbed.agent.lane_part_interfaces", "pqbed.fetch.client_drivers"),
}


@pytest.mark.parametrize("role", IMPORTS)
def test_the_sides_of_a_stack_need_no_pyroute2_which_their_images_lack(role: str) -> None:
    code = f"import sys; sys.modules['pyroute2'] = None; import {', '.join(IMPORTS[role])}, pqbed.agent.role_services"
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
