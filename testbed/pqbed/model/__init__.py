"""How long a fetch takes without any measurement: the floor that physics sets, and a packet-level simulation of Linux.

`floor` is the least that is possible, `simulate` what Linux does with it; `sizes` and `exchange` are the bytes that
both are fed with, `bounds` what both say of one cell, `breakdown` why one cell takes longer than another.
"""
