"""Exit codes. Errors carry their own (`pqbed.errors`)."""

INTERNAL = 1
USAGE = 2
HOST_UNFIT = 3
SOME_FAILED = 4
# A threshold of the gate was not kept; nothing else was wrong.
GATE_FAILED = 5
# By Ctrl-C or by SIGTERM: both end a command in the same way.
INTERRUPTED = 130
