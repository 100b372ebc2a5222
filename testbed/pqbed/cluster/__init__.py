"""A sweep on many machines: Dask distributed carries the tasks, one coordinator writes the run.

Dask is an extra (`pqbed[cluster]`); `cluster_address` and `tasks` do without it.
"""
