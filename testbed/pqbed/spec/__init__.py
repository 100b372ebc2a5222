"""What to measure, as frozen values: ns, bit/s, bytes, ppm inside. Text comes in through `text.py` alone."""
