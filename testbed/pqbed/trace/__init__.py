"""One fetch, captured at both ends: taken, read, told."""
