"""A run as figures and as one page that opens without a network. Heavy imports are made by what needs them."""
