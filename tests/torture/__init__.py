"""Torture: rounds of random faults over random small sweeps, and what must hold afterwards.

    make torture                                                       100 rounds, and docs/reliability.md
    cd tests && python -m torture --rounds 20 --seed 7 --arena uml --results /tmp/rounds.ndjson

A round sweeps with the real command line, in a folder of its own, and strikes it at random moments: kills of pqbed, of
a lane, of both; signals; suspended processes; full file systems. A sweep that ended is resumed, as a user would. Then
the run must hold exactly the planned samples, none twice, `pqbed verify` must agree, and nothing may be left: no
process, temporary folder, mount, half-made file, container (`checks.py`).

Rounds that are in the results file already are not run again, so that a campaign can be interrupted and continued. A
round is a function of its seed up to the timing of the host: `--only N` repeats the choices of one.
"""
