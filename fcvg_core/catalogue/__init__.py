"""Which model files exist, where they lie, how to get them; what is installed. Needs no torch."""
