"""Samples -> quantiles with intervals, and increases against a baseline. Reads the store, knows no bed."""

from pqbed.stats.summary import summarise

__all__ = ["summarise"]
