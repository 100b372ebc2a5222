"""The runs of a folder as live pages on this host: `pqbed serve`."""
