"""Use every module that a feature needs, in a namespace that is then gone."""

import json
import sys

sys.path.append("/opt/pqbed/vendor")

from pqbed.agent.unnamed_namespace import Namespace
from pqbed.net.probe_features import missing_modules


def main() -> None:
    missing: list[str] = []
    Namespace(lambda: missing.extend(missing_modules("lo")))
    print(json.dumps({"missing": missing}), flush=True)


main()
