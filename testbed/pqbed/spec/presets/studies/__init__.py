"""Published studies: sweeps, what was published of them, and what counts as the same."""
