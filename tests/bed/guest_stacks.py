"""What each stack says that it supports, asked in a guest whose root holds them all."""

import json
import os
import sys
from pathlib import Path

from pqbed.agent.lane_part_interfaces import StackServer
from pqbed.agent.rpc_proxies import proxy
from pqbed.agent.stack_process import StackProcess
from pqbed.spec.json_codec import to_json
from pqbed.spec.stacks import stack_named

os.environ["PYTHONPATH"] = "/mnt/testbed:/opt/pqbed/vendor"
for name in sys.argv[1:]:
    part = StackProcess("server", stack_named(name), Path("/run") / name)
    support = proxy(StackServer, part.rpc).support()
    part.close()
    print(json.dumps({"stack": name, "support": to_json(support)}), flush=True)
