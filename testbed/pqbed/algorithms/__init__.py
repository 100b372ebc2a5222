"""Groups and signature algorithms in one table: standards, stack, CPU, and what they were checked against."""

from pqbed.algorithms.table import Row, tabulate_algorithms

__all__ = ["Row", "tabulate_algorithms"]
