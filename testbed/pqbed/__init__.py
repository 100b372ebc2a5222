"""Measure what post-quantum TLS 1.3 costs a connection: the library behind the `pqbed` command.

The words used here (link, cell, sample, sweep, block, lane, bed, stack) are defined in
`docs/reference/glossary.md`, one meaning each.
"""

__version__ = "0.1.0"
