"""DropletVideo-5B: a picture and a prompt -> a video, whose motion a number (FPS) makes larger.

This file imports nothing that needs torch, because nodes and the command line's help read
`rules.py` at once.
"""
