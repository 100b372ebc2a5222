import errno
from typing import Any

import pytest

from pqbed.net.netem_refusals import refusal_to_shape
from pqbed.net.rtnetlink import RefusalError


@pytest.mark.parametrize(
    ("code", "said", "message", "cure"),
    [
        (errno.ENOENT, "Specified qdisc kind is unknown", "no sch_netem", "modprobe sch_netem"),
        (errno.ENOENT, "Specified qdisc not found", "no sch_netem", "--bed uml"),
        (errno.ENOENT, "", "no sch_netem", "linux-modules-extra"),
        (errno.EPERM, "", "Operation not permitted", "NET_ADMIN"),
        (errno.EOPNOTSUPP, "", "cannot shape", "gVisor"),
        (errno.ENODEV, "", "is gone", "ended"),
        (errno.ENOENT, "Qdisc not found. To create specify NLM_F_CREATE flag", "is gone", "another program"),
        (errno.EINVAL, "negative latency", "negative latency", ""),
    ],
)
def test_each_refusal_has_its_sentence_and_cure(code: Any, said: Any, message: Any, cure: Any) -> None:
    error = refusal_to_shape(RefusalError(code, said), "eth0")
    assert message in error.message
    assert "\n" not in error.message
    assert cure in error.hint
