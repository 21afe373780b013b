"""Which model files and packages are needed, where they are, how to get them. No torch."""
