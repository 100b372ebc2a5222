"""What several tests share: small sweeps and stored runs, forged packets, an engine in memory, guests, a browser."""
