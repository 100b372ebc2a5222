#!/bin/sh
# Write the messages that iproute2's tc sends for the cases below, one file a case: the tc command, the version,
# and the message in hex (sequence number zeroed). Needs root, strace and unshare; no netem in the kernel.
# Usage: capture.sh FOLDER
set -eu
capture() {
    name=$1
    shift
    {
        echo "# tc qdisc add dev lo root netem $*"
        echo "# $(tc -V)"
        strace -f -xx -s 20000 -e trace=sendmsg unshare -n tc qdisc add dev lo root netem "$@" 2>&1 |
            python3 -c '
import re, sys
line = next(line for line in sys.stdin if line.startswith("sendmsg"))
length = int(re.search(r"nlmsg_len=(\d+)", line)[1])
body = bytes.fromhex(re.search(r"}, \"((?:\\x[0-9a-f]{2})+)\"\]", line)[1].replace("\\x", ""))
header = length.to_bytes(4, sys.byteorder) + bytes.fromhex("2400" "0506" "00000000" "00000000")
assert len(header + body) == length
text = (header + body).hex()
print("\n".join(text[at : at + 112] for at in range(0, len(text), 112)))'
    } > "$OUT/$name.hex"
}
OUT=$1
capture delay limit 1000 delay 17500us
capture delay-odd-ns limit 1000 delay 17500001ns
capture delay-long limit 77 delay 5s
capture jitter limit 1000 delay 20ms 1ms
capture jitter-normal limit 1000 delay 20ms 1ms distribution normal
capture jitter-pareto limit 1000 delay 20ms 1ms distribution pareto
capture jitter-paretonormal limit 1000 delay 20ms 1ms distribution paretonormal
capture loss-1-percent limit 1000 loss 1%
capture loss-all limit 1000 loss 100%
capture loss-gilbert-elliott limit 1000 loss gemodel 1% 20% 80% 0.5%
capture rate limit 1000 rate 1mbit
capture rate-over-32-bit limit 1000 rate 100gbit
capture seed limit 1000 seed 12345678901234567890
capture everything limit 4321 delay 100ms 3ms distribution normal loss gemodel 2% 30% rate 10mbit seed 18446744073709551615
