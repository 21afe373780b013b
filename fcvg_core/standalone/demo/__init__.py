"""Sample scenes and stand-in models, to try the program without weights."""
