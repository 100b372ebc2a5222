"""Exit codes. Errors carry their own (`pqbed.errors`)."""

UNFORESEEN = 1
USAGE = 2
HOST_UNFIT = 3
SOME_FAILED = 4
INTERRUPTED = 130
