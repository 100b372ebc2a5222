"""Table of groups and signature algorithms: sizes in the standards, support by the stack, CPU time, checks."""

from pqbed.algorithm_table.algorithm_rows import AlgorithmRow, tabulate_algorithms

__all__ = ["AlgorithmRow", "tabulate_algorithms"]
