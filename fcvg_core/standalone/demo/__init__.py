"""Sample pictures and tiny stand-in models, to try the program without real weights."""
