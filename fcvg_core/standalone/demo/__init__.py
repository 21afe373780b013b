"""Sample pictures, and a strip of what was made of them, to try the program without weights."""
