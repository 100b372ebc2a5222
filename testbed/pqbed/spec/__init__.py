"""What to measure, as frozen values. Integers inside: ns, bit/s, bytes, ppm. No parsing here."""
