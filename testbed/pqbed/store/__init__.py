"""The run directory: manifest, cells, samples. Atomic and versioned; the only thing statistics read."""
