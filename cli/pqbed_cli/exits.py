"""Exit codes. Errors carry their own (`pqbed.errors`)."""

UNFORESEEN = 1
USAGE = 2
HOST_UNFIT = 3
SOME_FAILED = 4
# By Ctrl-C or by SIGTERM: both end a command in the same way, so both say the same.
INTERRUPTED = 130
