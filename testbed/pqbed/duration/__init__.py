"""How long a sweep takes: estimated before it starts, forecast while it runs, and where it may stop early."""
