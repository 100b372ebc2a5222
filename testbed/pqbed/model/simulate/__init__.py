"""The packet-level simulator of a fetch over TCP: what Linux does, segment by segment."""
