"""Trace of one fetch: captures at both ends, the segments and flights in them, and a summary."""
