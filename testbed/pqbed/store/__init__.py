"""Run directory: manifest, cells, samples. Atomic and versioned; the only input of statistics."""
