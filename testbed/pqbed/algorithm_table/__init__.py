"""Groups and signature algorithms in one table: standards, stack, CPU, and what they were checked against."""

from pqbed.algorithm_table.table import Row, tabulate_algorithms

__all__ = ["Row", "tabulate_algorithms"]
